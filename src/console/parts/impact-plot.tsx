import type { Impact } from '../../api/wire/what-if.ts'
import { DAY_MS, formatDuration, HOUR_MS, MINUTE_MS } from '../../base/units.ts'
import { useWidth } from './use-width.ts'

type Effect = Impact['effects'][number]
type Fate = Effect['before']

const ROW = 24
const TOP = 6
const BOTTOM = 26
const ROWS_SHOWN = 16
const MARKS = [
  0,
  10 * MINUTE_MS,
  ...[1, 6].map((hours) => hours * HOUR_MS),
  ...[1, 3, 7, 30, 90, 365].map((days) => days * DAY_MS),
]
/** Around here the axis turns from even to logarithmic, so that minutes and weeks are both seen. */
const BEND_MS = 10 * MINUTE_MS
/** Pixels that a mark of the axis needs. */
const MARK_WIDTH = 46

interface Props {
  /** In the order in which they are shown. */
  readonly effects: readonly Effect[]
  readonly now: number
}

/** When each would start, as it is (ring) and with the change (dot); a cross is an eviction, and an arrow off the end is never. */
export function ImpactPlot({ effects, now }: Props) {
  const [frame, width] = useWidth()
  const shown = effects.slice(0, ROWS_SHOWN)
  const left = Math.min(180, width * 0.34)
  const right = width - 18
  const scale = (ms: number) => Math.log1p(Math.max(0, ms) / BEND_MS)
  const last = Math.max(
    HOUR_MS,
    ...shown.flatMap(({ before, after }) => [before.p50At, after.p50At]).map((at) => (at ?? now) - now),
  )
  const x = (ms: number) => left + (scale(ms) / scale(last * 1.15)) * (right - left)
  const placeOf = ({ state, p50At }: Fate): number | undefined => {
    if (state === 'absent') return undefined
    if (state === 'waits' && p50At === undefined) return right
    return state === 'waits' || state === 'starts' ? x((p50At ?? now) - now) : x(0)
  }
  const bottom = TOP + shown.length * ROW
  const marks: number[] = []
  for (const mark of MARKS) {
    const before = marks.at(-1)
    if (x(mark) <= right && (before === undefined || x(mark) - x(before) >= MARK_WIDTH)) marks.push(mark)
  }
  return (
    <figure class="plot impact" ref={frame}>
      <svg
        role="img"
        aria-label={`When ${effects.length} workloads would start, before and after; the table below has the same`}
        height={bottom + BOTTOM}
        viewBox={`0 0 ${width} ${bottom + BOTTOM}`}
      >
        {marks.map((mark) => (
          <g key={mark}>
            <line class="grid" x1={x(mark)} x2={x(mark)} y1={TOP} y2={bottom} />
            <text x={x(mark)} y={bottom + 16} text-anchor={mark === 0 ? 'start' : 'middle'}>
              {mark === 0 ? 'now' : `in ${formatDuration(mark)}`}
            </text>
          </g>
        ))}
        {shown.map((effect, row) => (
          <Dumbbell
            key={`${effect.workload} ${effect.name}`}
            effect={effect}
            from={placeOf(effect.before)}
            to={effect.effect === 'never' ? right : placeOf(effect.after)}
            y={TOP + row * ROW + ROW / 2}
            nameWidth={left}
          />
        ))}
      </svg>
      <figcaption class="hint">
        Ring: as it is. Dot: with the change. Cross: evicted. Arrow at the end: not foreseen to start.
        {effects.length > ROWS_SHOWN && ` The ${ROWS_SHOWN} that it hits hardest of ${effects.length}.`}
      </figcaption>
    </figure>
  )
}

interface DumbbellProps {
  readonly effect: Effect
  readonly from: number | undefined
  readonly to: number | undefined
  readonly y: number
  readonly nameWidth: number
}

/** Pixels of a letter, near enough to cut a name where it would run into the plot. */
const LETTER = 6.6

function Dumbbell({ effect: { workload, name, effect }, from, to, y, nameWidth }: DumbbellProps) {
  const label = effect === 'new' ? name : `${workload} ${name}`
  const most = Math.floor((nameWidth - 12) / LETTER)
  return (
    <g class={effect}>
      <title>{`${label}: ${effect}`}</title>
      <text x="0" y={y + 4}>
        {label.length > most ? `${label.slice(0, most - 1)}…` : label}
      </text>
      {from !== undefined && to !== undefined && <line class="way" x1={from} x2={to} y1={y} y2={y} />}
      {from !== undefined && <circle class="ring" cx={from} cy={y} r="4.5" />}
      {to !== undefined && <End effect={effect} x={to} y={y} />}
    </g>
  )
}

function End({
  effect,
  x,
  y,
}: {
  readonly effect: Effect['effect']
  readonly x: number
  readonly y: number
}) {
  if (effect === 'evicted') return <path class="way" d={`M${x - 5} ${y - 5}l10 10m0-10l-10 10`} />
  if (effect === 'never') return <path class="way" d={`M${x - 5} ${y - 5}l6 5l-6 5`} />
  return <circle cx={x} cy={y} r="4.5" />
}
