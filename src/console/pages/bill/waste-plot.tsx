import type { Bill } from '../../../api/wire/bill.ts'
import { gpuHoursText } from '../../core/values.ts'
import { BarTable } from '../../parts/bar-table.tsx'

type Causes = Bill['total']['byCause']

const CAUSES: readonly (readonly [keyof Causes, string, string])[] = [
  ['platform-failure', 'Lost to platform failures', 'not billed'],
  ['preempted', 'Lost to other work', 'not billed'],
  ['restart', 'Starting again after that', 'not billed'],
  ['user-failure', 'Run for nothing by failed programs', 'billed'],
  ['start', 'Starting', 'billed'],
  ['queue', 'Waited for in the queue', 'not held'],
]

/** GPU-hours without work, a bar for each cause. */
export function WastePlot({ byCause }: { readonly byCause: Causes }) {
  return (
    <section class="card" aria-label="GPU-hours without work">
      <header>
        <h2>GPU-hours without work</h2>
      </header>
      <div class="card-body">
        <BarTable
          caption="GPU-hours without work, by cause"
          columns={['Cause', 'Share', 'GPU-hours']}
          bars={CAUSES.map(([cause, name, note]) => ({
            name,
            note,
            tone: note === 'billed' ? 'network' : note === 'not billed' ? 'lost' : undefined,
            value: byCause[cause],
            text: gpuHoursText(byCause[cause]),
          }))}
        />
      </div>
    </section>
  )
}
