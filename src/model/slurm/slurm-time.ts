import {
  DAY_MS,
  type DurationMs,
  HOUR_MS,
  MINUTE_MS,
  ok,
  type Result,
  refuse,
  SECOND_MS,
} from '../../base/index.ts'

/**
 * A span as Slurm reads it: minutes, `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM` or `D-HH:MM:SS`. Undefined without a
 * limit (`UNLIMITED`, `INFINITE`, `-1`, `0`). Source: sbatch(1), --time.
 */
export function parseSlurmDuration(text: string): Result<DurationMs | undefined, string> {
  const trimmed = text.trim()
  if (/^(?:unlimited|infinite|-1|0)$/i.test(trimmed)) return ok(undefined)
  const [, days, clock = ''] = /^(?:(\d+)-)?(\d+(?::\d+){0,2})$/.exec(trimmed) ?? []
  const numbers = clock.split(':').map(Number)
  if (clock === '' || numbers.some((number) => !Number.isSafeInteger(number))) {
    return refuse(`"${text}" is no time; Slurm writes 30 (minutes), MM:SS, HH:MM:SS or D-HH:MM:SS`)
  }
  // After days the first number is hours; alone it is minutes; of two without days the first is minutes.
  const units =
    days !== undefined || numbers.length === 3 ? [HOUR_MS, MINUTE_MS, SECOND_MS] : [MINUTE_MS, SECOND_MS]
  const clockMs = numbers.reduce((sum, number, index) => sum + number * units[index]!, 0)
  return ok(Number(days ?? 0) * DAY_MS + clockMs)
}

/** A span as Slurm's views print it: `5:00`, `2:30:00`, `1-00:00:00`; `UNLIMITED` for undefined. */
export function formatSlurmDuration(spanMs: DurationMs | undefined): string {
  if (spanMs === undefined) return 'UNLIMITED'
  const seconds = Math.floor(spanMs / SECOND_MS)
  const two = (number: number) => String(number).padStart(2, '0')
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  if (days > 0) return `${days}-${two(hours)}:${two(minutes)}:${two(seconds % 60)}`
  if (hours > 0) return `${hours}:${two(minutes)}:${two(seconds % 60)}`
  return `${minutes}:${two(seconds % 60)}`
}
