import { ok, type Result, refuse } from '../base/index.ts'
import { planCurve, usualCounts } from './curve.ts'
import { planRun, type RunInput, type RunPlan } from './run.ts'
import { thousands } from './thousands.ts'

/** What a run must keep to: finished within a time, for no more than a sum. */
export interface Goal {
  readonly withinSeconds?: number
  readonly dollars?: number
}

/**
 * The cheapest size of a run that keeps to a date, the smaller of two that cost the same; with a budget alone the fastest that keeps to
 * it; without either the knee of time against cost. Or what comes nearest and by how much it misses.
 * The slow end of the error band must keep the time.
 */
export function planForGoal(
  input: RunInput,
  goal: Goal,
  counts: readonly number[] = finerCounts(input),
): Result<RunPlan, string> {
  const { points, knee } = planCurve(input, counts)
  if (points.length === 0) return planRun(input)
  const slow = (plan: RunPlan) => plan.wallSeconds * (1 + plan.relativeError)
  const keeps = points.filter(
    (plan) =>
      slow(plan) <= (goal.withinSeconds ?? Number.POSITIVE_INFINITY) &&
      plan.dollars <= (goal.dollars ?? Number.POSITIVE_INFINITY),
  )
  const cheapest = (plans: readonly RunPlan[]) =>
    plans.reduce((a, b) => (b.dollars < a.dollars * (1 - 1e-9) ? b : a))
  const fastestOf = (plans: readonly RunPlan[]) => plans.reduce((a, b) => (slow(b) < slow(a) ? b : a))
  if (goal.withinSeconds === undefined && goal.dollars === undefined) return ok(points[knee]!)
  if (keeps.length > 0) return ok(goal.withinSeconds === undefined ? fastestOf(keeps) : cheapest(keeps))
  const fastest = fastestOf(points)
  const days = (seconds: number) => `${(seconds / 86_400).toFixed(1)} days`
  if (goal.withinSeconds !== undefined && slow(fastest) > goal.withinSeconds) {
    return refuse(
      `not within ${days(goal.withinSeconds)}: the fastest of these sizes, ${fastest.machine.gpuCount} GPUs, takes ${days(fastest.wallSeconds)} and up to ${days(slow(fastest))}; allow more time, GPUs or fewer tokens`,
    )
  }
  const inTime = points.filter((plan) => slow(plan) <= (goal.withinSeconds ?? Number.POSITIVE_INFINITY))
  const best = cheapest(inTime)
  return refuse(
    `not for $${thousands(goal.dollars ?? 0)}: the cheapest size${goal.withinSeconds === undefined ? '' : ' in time'}, ${best.machine.gpuCount} GPUs, costs $${thousands(best.dollars)} over ${days(best.wallSeconds)}`,
  )
}

/** The usual counts and one and a half times each. */
export function finerCounts(input: RunInput): number[] {
  const counts = usualCounts(input.machine)
  const { gpuCount, gpusPerNode } = input.machine
  const between = counts
    .map((count) => count * 1.5)
    .filter((count) => count < gpuCount && count % gpusPerNode === 0)
  return [...new Set([...counts, ...between])].sort((a, b) => a - b)
}
