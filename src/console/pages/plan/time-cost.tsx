import type { PlanView } from '../../../api/wire/plan.ts'
import { compactText, dollarsText, numberText, percentText, secondsText } from '../../core/values.ts'
import { axisOf } from '../../parts/axis.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { Link } from '../../parts/link.tsx'
import { useWidth } from '../../parts/use-width.ts'

type Size = NonNullable<PlanView['curve']>[number]

const HEIGHT = 240
const LEFT = 64
const RIGHT = 24
const TOP = 20
const BOTTOM = 36
/** Seconds at which the axis of time is marked, where they are in reach. */
const MARKS = [1, 3, 6, 12].map((hours) => hours * 3600)
const DAYS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000].map((days) => days * 86_400)

interface Props {
  readonly plan: PlanView
  readonly curve: readonly Size[]
  /** Where the same is planned for so many GPUs. */
  readonly toSize: (gpus: number) => string
}

/** Time against cost over sizes: those on the line are the best of their time, the others are dearer and no faster. */
export function TimeCost({ plan, curve: usual, toSize }: Props) {
  const curve = withOwn(usual, plan)
  const [frame, width] = useWidth()
  const right = width - RIGHT
  const x = axisOf(
    curve.map(({ wallSeconds }) => Math.log(wallSeconds)),
    [LEFT + 12, right - 12],
  )
  const y = axisOf(
    curve.map(({ dollars }) => Math.log(dollars)),
    [HEIGHT - BOTTOM - 10, TOP + 4],
  )
  const px = ({ wallSeconds }: Size) => x(Math.log(wallSeconds))
  const py = ({ dollars }: Size) => y(Math.log(dollars))
  const front = frontOf(curve)
  const times = curve.map(({ wallSeconds }) => wallSeconds)
  const marks = [...MARKS, ...DAYS].filter((mark) => mark >= Math.min(...times) && mark <= Math.max(...times))
  const costs = spread(curve.map(({ dollars }) => dollars))
  const isChosen = ({ gpuCount }: Size) => gpuCount === plan.machine.gpuCount
  return (
    <section class="card" aria-label="Time against cost">
      <header>
        <h2>Time against cost</h2>
        <span class="muted">by size; choose one to plan for it</span>
      </header>
      <div class="card-body stack">
        <figure class="plot" ref={frame}>
          <svg height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`}>
            <title>{`${curve.length} sizes by time and cost`}</title>
            {costs.map((cost) => (
              <g key={cost}>
                <line class="grid" x1={LEFT} x2={right} y1={y(Math.log(cost))} y2={y(Math.log(cost))} />
                <text x={LEFT - 8} y={y(Math.log(cost)) + 4} text-anchor="end">
                  ${compactText(cost)}
                </text>
              </g>
            ))}
            {marks.map((mark) => (
              <g key={mark}>
                <line
                  class="grid"
                  x1={x(Math.log(mark))}
                  x2={x(Math.log(mark))}
                  y1={TOP}
                  y2={HEIGHT - BOTTOM}
                />
                <text x={x(Math.log(mark))} y={HEIGHT - BOTTOM + 16} text-anchor="middle">
                  {secondsText(mark)}
                </text>
              </g>
            ))}
            <text x={right} y={HEIGHT - 4} text-anchor="end">
              time to finish →
            </text>
            <text x={LEFT - 56} y={TOP - 8}>
              cost
            </text>
            <path
              class="series"
              d={front
                .map((size, i) => `${i === 0 ? 'M' : 'L'}${px(size).toFixed(1)} ${py(size).toFixed(1)}`)
                .join('')}
            />
            {curve.map((size) => (
              <Link
                key={size.gpuCount}
                class={`size ${front.includes(size) ? '' : 'beaten'} ${isChosen(size) ? 'chosen' : ''}`}
                to={toSize(size.gpuCount)}
              >
                <title>{sizeText(size)}</title>
                {size.knee && <circle class="ring" cx={px(size)} cy={py(size)} r="9" />}
                <circle cx={px(size)} cy={py(size)} r={isChosen(size) ? 6 : 4} />
                <text x={px(size)} y={py(size) - (size.knee ? 14 : 10)} text-anchor="middle">
                  {compactText(size.gpuCount)}
                </text>
              </Link>
            ))}
          </svg>
          <figcaption class="hint">
            Each point is a number of GPUs. The ring is the knee: past it more GPUs cost much and save little.
          </figcaption>
        </figure>
        <details>
          <summary>Numbers</summary>
          <Sizes plan={plan} curve={curve} toSize={toSize} />
        </details>
      </div>
    </section>
  )
}

function Sizes({ plan, curve, toSize }: Props) {
  return (
    <DataTable
      caption="Sizes, smallest first"
      rows={curve}
      keyOf={({ gpuCount }) => `${gpuCount}`}
      columns={[
        {
          title: 'GPUs',
          isNumber: true,
          isTight: true,
          cell: ({ gpuCount, knee }) => (
            <>
              {knee && <span class="badge info">knee</span>} {numberText(gpuCount)}
            </>
          ),
        },
        { title: 'Time', isNumber: true, isTight: true, cell: ({ wallSeconds }) => secondsText(wallSeconds) },
        { title: 'Cost', isNumber: true, isTight: true, cell: ({ dollars }) => dollarsText(dollars) },
        {
          title: 'Of the peak',
          isNumber: true,
          isExtra: true,
          cell: ({ modelFlopsUtilisation }) => percentText(modelFlopsUtilisation),
        },
        { title: 'Spread', isExtra: true, cell: ({ strategyText }) => strategyText },
        {
          title: '',
          isTight: true,
          cell: ({ gpuCount }) =>
            gpuCount === plan.machine.gpuCount ? (
              <span class="badge">planned</span>
            ) : (
              <Link class="button" to={toSize(gpuCount)}>
                Plan<span class="hidden"> for {numberText(gpuCount)} GPUs</span>
              </Link>
            ),
        },
      ]}
    />
  )
}

/** The size that is planned stands among the usual ones, which it need not be one of. */
function withOwn(curve: readonly Size[], plan: PlanView): readonly Size[] {
  const { machine, wallSeconds, dollars, modelFlopsUtilisation, strategy, strategyText } = plan
  const { gpuCount } = machine
  if (curve.some((size) => size.gpuCount === gpuCount)) return curve
  const own = { gpuCount, wallSeconds, dollars, modelFlopsUtilisation, strategy, strategyText, knee: false }
  return [...curve, own].toSorted((a, b) => a.gpuCount - b.gpuCount)
}

/** The sizes that no other beats in both time and cost, slowest first. */
function frontOf(curve: readonly Size[]): readonly Size[] {
  return curve
    .filter(
      (size) =>
        !curve.some(
          (other) => other !== size && other.wallSeconds <= size.wallSeconds && other.dollars <= size.dollars,
        ),
    )
    .toSorted((a, b) => b.wallSeconds - a.wallSeconds)
}

/** The least, the middle on a logarithmic scale, and the most. */
function spread(values: readonly number[]): readonly number[] {
  const low = Math.min(...values)
  const high = Math.max(...values)
  return high / low < 1.02 ? [low] : [low, Math.sqrt(low * high), high]
}

function sizeText({ gpuCount, wallSeconds, dollars, knee }: Size): string {
  return `${numberText(gpuCount)} GPUs${knee ? ', the knee' : ''}: ${secondsText(wallSeconds)}, ${dollarsText(dollars)}`
}
