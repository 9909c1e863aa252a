import type { Bill } from '../../../api/wire/bill.ts'
import { gpuHoursText } from '../../core/values.ts'

type Causes = Bill['total']['byCause']

const CAUSES: readonly (readonly [keyof Causes, string, string])[] = [
  ['platform-failure', 'Lost to platform failures', 'not billed'],
  ['preempted', 'Lost to other work', 'not billed'],
  ['restart', 'Starting again after that', 'not billed'],
  ['user-failure', 'Run for nothing by failed programs', 'billed'],
  ['start', 'Starting', 'billed'],
  ['queue', 'Waited for in the queue', 'not held'],
]

/** GPU-hours without work, a bar for each cause; it is its own table. */
export function WastePlot({ byCause }: { readonly byCause: Causes }) {
  const most = Math.max(1, ...CAUSES.map(([cause]) => byCause[cause]))
  return (
    <section class="card" aria-label="GPU-hours without work">
      <header>
        <h2>GPU-hours without work</h2>
      </header>
      <div class="card-body">
        <table>
          <caption class="hidden">GPU-hours without work, by cause</caption>
          <thead class="hidden">
            <tr>
              <th scope="col">Cause</th>
              <th scope="col">Share</th>
              <th scope="col">GPU-hours</th>
            </tr>
          </thead>
          <tbody>
            {CAUSES.map(([cause, words, billed]) => (
              <tr key={cause}>
                <td>
                  {words} <span class="muted">({billed})</span>
                </td>
                <td class="extra" style={{ width: '45%', verticalAlign: 'middle' }}>
                  <div class="bar" aria-hidden="true">
                    <span
                      class={billed === 'not billed' ? 'lost' : billed === 'billed' ? 'second' : ''}
                      style={{ width: `${(byCause[cause] / most) * 100}%` }}
                    />
                  </div>
                </td>
                <td class="number">{gpuHoursText(byCause[cause])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
