import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../base/units.ts'

const STEPS = [
  ...[10, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 3, 6, 12].map((hours) => hours * HOUR_MS),
  ...[1, 2, 7, 14, 30, 90, 365].map((days) => days * DAY_MS),
]

/** Round times of the reader's zone between two moments, at most so many of them. `zoneMs` is how far local time is behind UTC. */
export function timeTicks(from: number, to: number, most: number, zoneMs: number): readonly number[] {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? STEPS.at(-1)! * 10
  const ticks: number[] = []
  for (let at = Math.ceil((from - zoneMs) / step) * step + zoneMs; at <= to; at += step) ticks.push(at)
  return ticks
}

const DATE = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

/** A tick as its date at midnight, else as its time, in the reader's zone. */
export function tickText(at: number): string {
  const date = new Date(at)
  return date.getHours() === 0 && date.getMinutes() === 0 ? DATE.format(at) : TIME.format(at)
}
