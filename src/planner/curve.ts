import type { Machine } from './gpu.ts'
import { planRun, type RunInput, type RunPlan } from './run.ts'

/** Time against cost over GPU counts, smallest first, and the count past which more GPUs cost much and save little. */
export interface Curve {
  readonly points: readonly RunPlan[]
  /** Index into `points`. */
  readonly knee: number
}

/** Plans of the same run on part or all of a machine. Counts on which nothing fits are left out; without any, the curve is empty. */
export function planCurve(input: RunInput, counts: readonly number[] = usualCounts(input.machine)): Curve {
  const points: RunPlan[] = []
  for (const gpuCount of counts) {
    const plan = planRun({ ...input, machine: { ...input.machine, gpuCount }, keep: 1 })
    if (plan.ok) points.push(plan.value)
  }
  return { points, knee: kneeOf(points) }
}

/** Doublings of a node up to the machine, and the machine itself. */
export function usualCounts(machine: Machine): number[] {
  const counts: number[] = []
  for (let count = Math.min(machine.gpusPerNode, machine.gpuCount); count < machine.gpuCount; count *= 2)
    counts.push(count)
  counts.push(machine.gpuCount)
  return counts
}

/**
 * The knee of time over GPUs, both as logarithms: the point farthest below the line through the first and the last (Kneedle,
 * Satopää et al. 2011, on the curve's own ends). On a curve that is straight to the end, the last point.
 */
export function kneeOf(points: readonly RunPlan[]): number {
  const last = points.length - 1
  if (last < 2) return Math.max(0, last)
  const x = points.map(({ machine }) => Math.log(machine.gpuCount))
  const y = points.map(({ wallSeconds }) => Math.log(wallSeconds))
  const slope = (y[last]! - y[0]!) / (x[last]! - x[0]!)
  let knee = last
  let farthest = 0.02
  for (let i = 1; i < last; i++) {
    const below = y[0]! + slope * (x[i]! - x[0]!) - y[i]!
    if (below > farthest) {
      farthest = below
      knee = i
    }
  }
  return knee
}
