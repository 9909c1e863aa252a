import type { DurationMs, TimeMs } from '../base/index.ts'
import type { QueuedGang } from './gang.ts'

/**
 * What a running gang has left by its program's reports; undefined where these tell nothing. One that is still there when that
 * time is over is taken to need as much again as it is overdue: the longer reports have been wrong, the less they count.
 */
export function toldLeftMs({ timeLeft }: QueuedGang, startedAt: TimeMs, now: TimeMs): DurationMs | undefined {
  return timeLeft && Math.abs(timeLeft.ms - (now - Math.max(timeLeft.at, startedAt)))
}

/** How far a run may be off what its reports say is left of it, either way: its pace is an average so far. */
const TOLD_WITHIN = 0.1

/** When a run ends by its reports, at the quantile `u` of what is taken to be possible (0 to 1), after `now` and not after its limit. */
export function toldEndAt(gang: QueuedGang, startedAt: TimeMs, now: TimeMs, u: number): TimeMs | undefined {
  const left = toldLeftMs(gang, startedAt, now)
  if (left === undefined) return undefined
  const end = now + Math.max(1, Math.ceil(left * (1 + TOLD_WITHIN * (2 * u - 1))))
  return gang.limitMs === undefined ? end : Math.max(now + 1, Math.min(end, startedAt + gang.limitMs))
}
