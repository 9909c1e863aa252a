import type { RankTimesView } from '../../../api/wire/rank-times.ts'
import { useAnswer } from '../../core/answer.ts'
import { useSignedIn } from '../../core/session.ts'
import { millisecondsText, numberText, percentText } from '../../core/values.ts'
import { Link } from '../../parts/link.tsx'
import { ErrorNote } from '../../parts/notes.tsx'
import { useWidth } from '../../parts/use-width.ts'

type Rank = RankTimesView['items'][number]
type Report = NonNullable<RankTimesView['report']>

const HEIGHT = 120
const LEFT = 56
const BOTTOM = 20
const TOP = 8
const LEAST_BAR_PX = 3
const TABLE_ROWS = 50

interface Props {
  readonly id: string
  /** Asks again while it runs. */
  readonly isLive: boolean
}

/** How long each rank computes in a step, and which the others wait for; nothing where the program does not tell. */
export function Ranks({ id, isLive }: Props) {
  const { client } = useSignedIn()
  const { data, error } = useAnswer(
    `ranks/${id}`,
    (signal) => client.listRanks({ id }, { signal }),
    isLive ? { everyMs: 5_000 } : {},
  )
  if (error) return <ErrorNote error={error} />
  if (!data?.report || data.items.length < 2) return null
  const { report, items } = data
  const slowestFirst = items.toSorted((a, b) => b.computeMs - a.computeMs || a.rank - b.rank)
  return (
    <section class="card" aria-label="Ranks">
      <header>
        <h2>Ranks</h2>
        <span class="muted">
          {numberText(items.length)} compute for {millisecondsText(report.medianMs)} a step
          {report.stepMs !== undefined && ` of ${millisecondsText(report.stepMs)}`}, median of{' '}
          {numberText(report.reports)} reports
        </span>
      </header>
      <div class="card-body stack">
        <Verdict report={report} slowestFirst={slowestFirst} />
        <RankPlot report={report} items={items} />
        <details>
          <summary>Slowest ranks</summary>
          <RankTable report={report} ranks={slowestFirst.slice(0, TABLE_ROWS)} />
        </details>
      </div>
    </section>
  )
}

function Verdict({
  report,
  slowestFirst,
}: {
  readonly report: Report
  readonly slowestFirst: readonly Rank[]
}) {
  const slowest = slowestFirst[0]
  if (!slowest?.isStraggler) return <p class="muted">No rank computes more than 10 % over the median.</p>
  const stragglers = slowestFirst.filter(({ isStraggler }) => isStraggler).length
  return (
    <p class="reason">
      Rank {slowest.rank} on <NodeLink node={slowest.node} /> computes {overText(slowest, report)} over the
      median, and the other ranks wait for it.
      {stragglers > 1 && ` ${numberText(stragglers)} ranks are stragglers.`}
    </p>
  )
}

/** A bar for each rank, or for the slowest of some ranks side by side where there is no room for all. */
function RankPlot({ report, items }: { readonly report: Report; readonly items: readonly Rank[] }) {
  const [frame, width] = useWidth()
  const room = width - LEFT - 8
  const perBar = Math.max(1, Math.ceil((items.length * LEAST_BAR_PX) / Math.max(room, 1)))
  const bars = slowestOfEach(items, perBar)
  const most = Math.max(report.stepMs ?? 0, ...bars.map(({ computeMs }) => computeMs)) || 1
  const barWidth = room / bars.length
  const py = (ms: number) => TOP + (1 - ms / most) * (HEIGHT - TOP - BOTTOM)
  const stragglers = items.filter(({ isStraggler }) => isStraggler).length
  return (
    <figure class="plot ranks" ref={frame}>
      <figcaption class="muted">
        Compute time by rank{perBar > 1 && `, each bar the slowest of ${perBar} ranks`}; the line is the
        median
        {report.stepMs !== undefined && ', the top the whole step'}
      </figcaption>
      <svg
        role="img"
        aria-label={`Compute time of ${items.length} ranks: ${stragglers} stragglers`}
        height={HEIGHT}
        viewBox={`0 0 ${width} ${HEIGHT}`}
      >
        {bars.map((rank, i) => (
          <rect
            key={rank.rank}
            class={rank.isStraggler ? 'straggler' : ''}
            x={LEFT + i * barWidth}
            width={Math.max(1, barWidth - (barWidth > 4 ? 1 : 0))}
            y={py(rank.computeMs)}
            height={HEIGHT - BOTTOM - py(rank.computeMs)}
          >
            <title>
              rank {rank.rank} on {rank.node}: {millisecondsText(rank.computeMs)}
            </title>
          </rect>
        ))}
        <line class="median" x1={LEFT} x2={width - 8} y1={py(report.medianMs)} y2={py(report.medianMs)} />
        {[most, report.medianMs].map((ms) => (
          <text key={ms} x={LEFT - 6} y={py(ms) + 4} text-anchor="end">
            {millisecondsText(ms)}
          </text>
        ))}
        <text x={LEFT} y={HEIGHT - 4}>
          0
        </text>
        <text x={width - 8} y={HEIGHT - 4} text-anchor="end">
          rank {items.at(-1)?.rank}
        </text>
      </svg>
    </figure>
  )
}

function RankTable({ report, ranks }: { readonly report: Report; readonly ranks: readonly Rank[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col" class="number">
            Rank
          </th>
          <th scope="col">Node</th>
          <th scope="col" class="number">
            Computes
          </th>
          <th scope="col" class="number">
            Over the median
          </th>
        </tr>
      </thead>
      <tbody>
        {ranks.map((rank) => (
          <tr key={rank.rank}>
            <td class="number">{rank.rank}</td>
            <td>
              <NodeLink node={rank.node} />
            </td>
            <td class="number">{millisecondsText(rank.computeMs)}</td>
            <td class="number">
              {overText(rank, report)}
              {rank.isStraggler && ' (straggler)'}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function NodeLink({ node }: { readonly node: string }) {
  return <Link to={`/machine?node=${encodeURIComponent(node)}`}>{node}</Link>
}

function overText({ computeMs }: Rank, { medianMs }: Report): string {
  return percentText(medianMs > 0 ? computeMs / medianMs - 1 : 0)
}

function slowestOfEach(items: readonly Rank[], perBar: number): readonly Rank[] {
  if (perBar === 1) return items
  const bars: Rank[] = []
  for (let from = 0; from < items.length; from += perBar) {
    bars.push(items.slice(from, from + perBar).reduce((a, b) => (b.computeMs > a.computeMs ? b : a)))
  }
  return bars
}
