import type { Impact } from '../../api/wire/what-if.ts'
import { useNow } from '../core/clock.ts'
import { countText } from '../core/values.ts'
import { DataTable } from './data-table.tsx'
import { ImpactPlot } from './impact-plot.tsx'
import { Link } from './link.tsx'
import { Moment } from './moment.tsx'

type Effect = Impact['effects'][number]

const KINDS: Readonly<Record<Effect['effect'], string>> = {
  earlier: 'good',
  later: 'warn',
  same: '',
  evicted: 'bad',
  never: 'bad',
  new: 'info',
}
const MOST_ROWS = 60
const ORDER: readonly Effect['effect'][] = ['never', 'evicted', 'new', 'later', 'earlier', 'same']

/** What a change would do, workload by workload, those first that it hits hardest. Nothing has been changed. */
export function ImpactView({ impact }: { readonly impact: Impact }) {
  const now = useNow(5_000)
  const changed = impact.effects
    .filter(({ effect }) => effect !== 'same')
    .toSorted((a, b) => ORDER.indexOf(a.effect) - ORDER.indexOf(b.effect) || shiftOf(b) - shiftOf(a))
  const counts = Object.entries(impact.counts).filter(([, count]) => count > 0)
  return (
    <div class="stack" role="status">
      {changed.length === 0 ? (
        <p>
          <b>It would change nothing for anybody.</b>
        </p>
      ) : changed.every(({ effect }) => effect === 'new') ? (
        <p>
          <b>It would change nothing for anybody else.</b>
        </p>
      ) : (
        <p class="row">
          {counts.map(([effect, count]) => (
            <span key={effect} class={`badge ${KINDS[effect as Effect['effect']]}`}>
              {countText(count, 'workload')} {effect}
            </span>
          ))}
        </p>
      )}
      {impact.notes.map((note) => (
        <p key={note} class="muted">
          {note}
        </p>
      ))}
      {changed.length > 0 && (
        <div class="card card-body">
          <ImpactPlot effects={changed} now={now} />
        </div>
      )}
      {changed.length > 0 && (
        <DataTable
          caption="What it would do"
          rows={changed.slice(0, MOST_ROWS)}
          keyOf={({ workload }) => workload}
          columns={[
            {
              title: 'Workload',
              cell: ({ workload, name, effect }) =>
                effect === 'new' ? (
                  name
                ) : (
                  <>
                    <Link to={`/workloads/${encodeURIComponent(workload)}`}>{workload}</Link> {name}
                  </>
                ),
            },
            {
              title: 'Effect',
              isTight: true,
              cell: ({ effect }) => <span class={`badge ${KINDS[effect]}`}>{effect}</span>,
            },
            { title: 'As it is', cell: ({ before }) => <Fate fate={before} now={now} /> },
            { title: 'With the change', cell: ({ after }) => <Fate fate={after} now={now} /> },
          ]}
        />
      )}
      {changed.length > MOST_ROWS && <p class="muted">and {changed.length - MOST_ROWS} more</p>}
    </div>
  )
}

/** By how much it starts earlier or later. */
function shiftOf({ before, after }: Effect): number {
  return Math.abs((after.p50At ?? 0) - (before.p50At ?? 0))
}

function Fate({ fate, now }: { readonly fate: Effect['before']; readonly now: number }) {
  const { state, p50At } = fate
  return (
    <>
      {state} {p50At !== undefined && state !== 'running' && <Moment at={Math.max(p50At, now)} now={now} />}
    </>
  )
}
