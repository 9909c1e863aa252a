import type { RunReport } from './insight.ts'
import { percent, seconds, whole } from './page-parts.ts'
import { mean } from './summary.ts'

/** A mean over seeds with its 95 % confidence interval; the interval has no width where all seeds agree. */
export interface Estimate {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** Figures of one candidate over its seeds; `against` are its differences from the first candidate, seed by seed. */
export interface Comparison {
  readonly name: string
  readonly seeds: number
  readonly figures: Readonly<Record<Figure, Estimate>>
  readonly against?: Readonly<Record<Figure, Estimate>>
}

export const FIGURES = {
  meanCompletionS: (report) => report.summary.meanCompletionS,
  meanQueueS: (report) => report.summary.meanQueueS,
  p90QueueS: (report) => report.summary.p90QueueS,
  p99QueueS: (report) => report.summary.p99QueueS,
  makespanS: (report) => report.summary.makespanS,
  utilisation: (report) => report.summary.utilisation,
  goodput: (report) => report.goodput,
  fairness: (report) => report.fairness,
  preemptions: (report) => report.summary.preemptions,
  fragmentedGpuHours: (report) =>
    report.waste.find(({ cause }) => cause === 'queue fragmentation')?.gpuHours ?? 0,
} as const satisfies Record<string, (report: RunReport) => number>
export type Figure = keyof typeof FIGURES
export const FIGURE_NAMES = Object.keys(FIGURES) as Figure[]

const TITLES: Readonly<Record<Figure, string>> = {
  meanCompletionS: 'mean completion',
  meanQueueS: 'mean time queued',
  p90QueueS: '90 % queued at most',
  p99QueueS: '99 % queued at most',
  makespanS: 'makespan',
  utilisation: 'utilisation',
  goodput: 'goodput of what was held',
  fairness: 'fairness',
  preemptions: 'preemptions',
  fragmentedGpuHours: 'queue fragmentation, GPU-hours',
}

/** What people call the figure. */
export function figureTitle(figure: Figure): string {
  return TITLES[figure]
}

/** A figure's mean, its interval where it has any width, and its difference from the first candidate. */
export function estimateTexts(
  figure: Figure,
  { figures, against }: Comparison,
  first?: Comparison,
): { readonly mean: string; readonly interval: string; readonly difference: string } {
  const { mean, low, high } = figures[figure]
  const interval = high > low ? `\u00b1 ${figureText(figure, (high - low) / 2)}` : ''
  const base = first?.figures[figure].mean ?? 0
  return { mean: figureText(figure, mean), interval, difference: differenceText(against?.[figure], base) }
}

function differenceText(difference: Estimate | undefined, base: number): string {
  if (!difference) return ''
  if (difference.low === 0 && difference.high === 0) return 'the same'
  if (base === 0) return ''
  const isClear = difference.low > 0 || difference.high < 0
  const sign = difference.mean >= 0 ? '+' : ''
  return `${sign}${percent(difference.mean / base)}${isClear ? '' : ', not clear'}`
}

/** A figure with its unit. */
function figureText(figure: Figure, value: number): string {
  if (figure.endsWith('S')) return seconds(value)
  if (figure === 'utilisation' || figure === 'goodput') return percent(value)
  return figure === 'fairness' ? value.toFixed(3) : whole(value)
}

/** Side by side; each candidate must have been played with the same seeds in the same order. */
export function compare(
  candidates: readonly { readonly name: string; readonly reports: readonly RunReport[] }[],
): Comparison[] {
  const first = candidates[0]
  return candidates.map(({ name, reports }, i) => ({
    name,
    seeds: reports.length,
    figures: each((figure) => estimate(reports.map(FIGURES[figure]))),
    ...(i > 0 && first
      ? {
          against: each((figure) =>
            estimate(
              reports.map((report, s) => FIGURES[figure](report) - FIGURES[figure](first.reports[s]!)),
            ),
          ),
        }
      : {}),
  }))
}

function each(read: (figure: Figure) => Estimate): Record<Figure, Estimate> {
  return Object.fromEntries(FIGURE_NAMES.map((figure) => [figure, read(figure)])) as Record<Figure, Estimate>
}

/** Student's t interval. */
export function estimate(values: readonly number[]): Estimate {
  const middle = mean(values)
  const n = values.length
  if (n < 2) return { mean: middle, low: middle, high: middle }
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (n - 1)
  const half = studentT975(n - 1) * Math.sqrt(variance / n)
  return { mean: middle, low: middle - half, high: middle + half }
}

/** 97.5 % quantile of Student's t; beyond the table by Cornish and Fisher's expansion around the normal's 1.95996. */
function studentT975(degrees: number): number {
  const table = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]
  const z = 1.959964
  return (
    table[degrees - 1] ??
    z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2)
  )
}
