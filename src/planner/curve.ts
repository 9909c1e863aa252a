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
 * The size at which time times cost is least: past it a doubling of the GPUs saves less than half of what it would at no loss,
 * and costs the rest. Where GPUs lose next to nothing it is the largest.
 */
export function kneeOf(points: readonly RunPlan[]): number {
  let knee = 0
  for (let i = 1; i < points.length; i++) {
    const { wallSeconds, dollars } = points[i]!
    if (wallSeconds * dollars <= points[knee]!.wallSeconds * points[knee]!.dollars) knee = i
  }
  return knee
}
