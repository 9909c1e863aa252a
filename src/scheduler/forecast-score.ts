import type { DurationMs, TimeMs } from '../base/index.ts'

/** A forecast on record beside what came of it. */
export interface ScoredForecast {
  readonly p50At: TimeMs
  readonly p90At: TimeMs
  readonly startedAt: TimeMs
}

export interface ForecastScore {
  readonly count: number
  /** Share of starts that came by the p90; well calibrated at 0.9. Absent without any. */
  readonly withinP90?: number
  /** Median of how far the start was from the p50, either way. */
  readonly medianErrorMs?: DurationMs
  /** Median of start less p50: positive when work starts later than was said. */
  readonly medianBiasMs?: DurationMs
}

/** How good past forecasts were. */
export function scoreForecasts(records: readonly ScoredForecast[]): ForecastScore {
  if (records.length === 0) return { count: 0 }
  const within = records.filter(({ startedAt, p90At }) => startedAt <= p90At).length
  return {
    count: records.length,
    withinP90: within / records.length,
    medianErrorMs: median(records.map(({ startedAt, p50At }) => Math.abs(startedAt - p50At))),
    medianBiasMs: median(records.map(({ startedAt, p50At }) => startedAt - p50At)),
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
