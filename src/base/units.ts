import { ok, type Result, refuse } from './result.ts'

/** Milliseconds since the Unix epoch, or of virtual time in the twin. Always a whole number. */
export type TimeMs = number
/** A span of time in whole milliseconds. */
export type DurationMs = number

export const SECOND_MS = 1_000
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  min: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
}

/**
 * The span in milliseconds of `90s`, `1h30m`, `2d`, or of Slurm's `D-HH:MM:SS`, `HH:MM:SS` and `MM:SS`.
 * A bare number is refused, since its unit would be a guess.
 */
export function parseDuration(text: string): Result<DurationMs, string> {
  const slurm = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)$/.exec(text.trim())
  if (slurm) {
    const [, days, hours, minutes, seconds] = slurm
    return ok(
      Number(days ?? 0) * DAY_MS +
        Number(hours ?? 0) * HOUR_MS +
        Number(minutes) * MINUTE_MS +
        Number(seconds) * SECOND_MS,
    )
  }
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)\s*/gy)]
  const consumed = parts.reduce((length, part) => length + part[0].length, 0)
  if (parts.length === 0 || consumed !== text.trim().length) {
    return refuse(`"${text}" is not a duration; write for example 90s, 1h30m, 2d or 1-12:00:00`)
  }
  let total = 0
  for (const [, amount, unit = ''] of parts) {
    const scale = DURATION_UNITS[unit]
    if (scale === undefined) return refuse(`"${unit}" is not a unit of time; use ms, s, m, h, d or w`)
    total += Number(amount) * scale
  }
  return ok(Math.round(total))
}

/** The two largest units of a span: `1h 30m`, `2d 4h`, `12s`, `340ms`. */
export function formatDuration(span: DurationMs): string {
  if (span < 0) return `-${formatDuration(-span)}`
  if (span < SECOND_MS) return `${Math.round(span)}ms`
  const steps = [
    [DAY_MS, 'd'],
    [HOUR_MS, 'h'],
    [MINUTE_MS, 'm'],
    [SECOND_MS, 's'],
  ] as const
  const first = steps.findIndex(([size]) => span >= size)
  const [size, unit] = steps[first]!
  const whole = Math.floor(span / size)
  const next = steps[first + 1]
  const rest = next ? Math.floor((span - whole * size) / next[0]) : 0
  return rest > 0 && next ? `${whole}${unit} ${rest}${next[1]}` : `${whole}${unit}`
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/** The bytes of `80GB` (powers of ten) or `80GiB` (powers of two). */
export function parseBytes(text: string): Result<number, string> {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim())
  const scale = match ? BYTE_UNITS[match[2]!] : undefined
  if (!match || scale === undefined)
    return refuse(`"${text}" is not a size; write for example 80GB or 512MiB`)
  return ok(Math.round(Number(match[1]) * scale))
}
