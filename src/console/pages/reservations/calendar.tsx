import type { MachineView } from '../../../api/wire/machine.ts'
import type { ReservationView } from '../../../api/wire/reservation.ts'
import { MINUTE_MS } from '../../../base/units.ts'
import { useParam } from '../../core/place.ts'
import { tickText, timeTicks } from '../../core/time-ticks.ts'
import { countText, momentText } from '../../core/values.ts'
import { Link } from '../../parts/link.tsx'
import { Tabs } from '../../parts/tabs.tsx'
import { useWidth } from '../../parts/use-width.ts'
import { type Row, rowsOf } from './windows.ts'

const ROWS_SHOWN = 40
/** Pixels that a mark of the axis needs. */
const MARK_WIDTH = 90

interface Props {
  readonly reservations: readonly ReservationView[]
  readonly machine: MachineView
  readonly now: number
}

/** The windows over time, by the domains of a level that they stand in; the table below it has the same. */
export function Calendar({ reservations, machine, now }: Props) {
  const [frame, width] = useWidth()
  const byDefault = machine.levels.at(-2) ?? 'node'
  const [level, setLevel] = useParam('level', byDefault)
  const rows = rowsOf(reservations, machine, level)
  const from = Math.min(now, ...reservations.map((each) => each.from))
  const last = Math.max(now + 60 * MINUTE_MS, ...reservations.map((each) => each.to))
  const to = last + (last - from) * 0.04
  const left = (at: number) => `${((at - from) / (to - from)) * 100}%`
  const zoneMs = new Date(now).getTimezoneOffset() * MINUTE_MS
  const ticks = timeTicks(from, to, Math.max(2, (width * 0.7) / MARK_WIDTH), zoneMs)
  return (
    <section class="card" aria-label="Calendar">
      <header>
        <h2>Calendar</h2>
        <Tabs
          label="By level"
          names={Object.fromEntries(machine.levels.map((each) => [each, `by ${each}`]))}
          value={level}
          onChange={setLevel}
        />
      </header>
      <div class="card-body">
        <figure class="calendar" ref={frame}>
          <div class="axis" aria-hidden="true">
            <span />
            <div>
              {ticks.map((at) => (
                <i key={at} style={{ left: left(at) }} title={momentText(at)}>
                  {tickText(at)}
                </i>
              ))}
            </div>
          </div>
          {rows.slice(0, ROWS_SHOWN).map((row) => (
            <Line key={row.path.join('/')} row={row} left={left} now={now} ticks={ticks} />
          ))}
          <figcaption class="hint">
            {rows.length > ROWS_SHOWN && `And ${rows.length - ROWS_SHOWN} more. `}
            The line is now. Full bars take all nodes of the {level}, dashed ones a part.
          </figcaption>
        </figure>
      </div>
    </section>
  )
}

interface LineProps {
  readonly row: Row
  readonly left: (at: number) => string
  readonly now: number
  readonly ticks: readonly number[]
}

function Line({ row, left, now, ticks }: LineProps) {
  return (
    <div class="line">
      <span title={row.path.join(' / ')}>{row.path.at(-1)}</span>
      <div style={{ height: `${row.laneCount * 26 + 4}px` }}>
        {ticks.map((at) => (
          <i key={at} style={{ left: left(at) }} />
        ))}
        <i class="now" style={{ left: left(now) }} />
        {row.windows.map(({ reservation, nodes, lane }) => {
          const { id, kind, from, to } = reservation
          const where = nodes === row.nodes ? 'all' : `${nodes} of ${countText(row.nodes, 'node')}`
          return (
            <Link
              key={id}
              class={`window ${kind} ${nodes === row.nodes ? '' : 'part'}`}
              to={`/reservations?reservation=${encodeURIComponent(id)}`}
              title={`${id}, ${kind}, ${where}: ${momentText(from)} to ${momentText(to)}`}
              style={{
                left: left(from),
                width: `calc(${left(to)} - ${left(from)})`,
                top: `${lane * 26 + 2}px`,
              }}
            >
              {id} <span>{where}</span>
            </Link>
          )
        })}
      </div>
    </div>
  )
}
