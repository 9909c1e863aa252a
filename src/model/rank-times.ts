import type { TimeMs } from '../base/index.ts'

/** What each rank of a gang computed in a step before it waited for the others, by what the program reported last. */
export interface RankTimes {
  readonly at: TimeMs
  /** The newest step reported. */
  readonly step: number
  /** How many reports the medians are of. */
  readonly reports: number
  /** Milliseconds by global rank: the median over the newest reports. */
  readonly computeMs: readonly number[]
  /** Milliseconds of the whole step, the same for all ranks because they wait for each other; the median too. */
  readonly stepMs?: number
}

/**
 * A rank that computes more than so much longer than the gang's median is a straggler. Lin et al., "Understanding Stragglers in
 * Large Model Training Using What-if Analysis" (OSDI 2025), call a job straggling from a slowdown of 1.1, and Jiang et
 * al., "MegaScale" (NSDI 2024), found the hosts that slowed their runs to take about 10 % longer for the same work.
 */
export const STRAGGLER_RATIO = 1.1

/** Of fewer reports a median is mostly chance. */
export const LEAST_STRAGGLER_REPORTS = 5

/** Ranks that the others wait for, slowest first, and the median that they are measured against. */
export function stragglersOf({ computeMs, reports }: Pick<RankTimes, 'computeMs' | 'reports'>): {
  readonly medianMs: number
  readonly ranks: readonly number[]
} {
  const medianMs = medianOf(computeMs)
  if (reports < LEAST_STRAGGLER_REPORTS) return { medianMs, ranks: [] }
  const ranks = computeMs.flatMap((ms, rank) => (ms > medianMs * STRAGGLER_RATIO ? rank : []))
  return { medianMs, ranks: ranks.sort((a, b) => computeMs[b]! - computeMs[a]! || a - b) }
}

/** The middle value, between the middle two of an even number; 0 of none. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[middle] ?? 0
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
