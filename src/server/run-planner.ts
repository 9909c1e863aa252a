import type { Result } from '../base/index.ts'
import { DAY_MS, formatDuration, ok, parseMoment, refuse, SECOND_MS } from '../base/index.ts'
import type { PlanAnswer, PlanRefusal, ResourceShape, RunDeclaration } from '../model/index.ts'
import type { Planner } from '../model/spec/index.ts'
import {
  finerCounts,
  type Machine,
  type PlanGoal,
  planForGoal,
  planRun,
  type RunPlan,
  requestedShape,
  requestOfDeclaration,
  strategyEnvironment,
  strategyText,
  thousands,
  trainingInput,
} from '../planner/index.ts'
import type { CallContext } from './context.ts'
import { liveMachine } from './planning.ts'

/** Plans declared runs for the live cluster: at the size that they ask for, or with `gpus: auto` at the best that it has. */
export function runPlanner(context: CallContext): Planner {
  return ({ declaration, size, models }) => {
    const goal = goalOf(declaration, context.clock.now())
    if (!goal.ok) return refusal('declaration', goal.error)
    const request = requestOfDeclaration(declaration)
    const shape = requestedShape(request)
    if (!shape.ok) return refusal('declaration', shape.error)
    const machine = liveMachine(context, models)
    if (!machine.ok) return refusal('machine', machine.error)
    const input = trainingInput(request, () => machine)
    if (!input.ok) return refusal('declaration', input.error)
    if (size === 'auto') {
      const counts = [...partNodes(machine.value), ...finerCounts(input.value)]
      const plan = planForGoal(input.value, goal.value, counts)
      if (!plan.ok) return refusal('machine', plan.error)
      return ok(answerOf(plan.value, sizeOf(plan.value), whyText(goal.value, counts.length)))
    }
    const gpuCount = gpusOf(size, machine.value)
    if (gpuCount === undefined) return refusal('machine', 'a share of a GPU is not planned for')
    const plan = planRun({ ...input.value, machine: { ...machine.value, gpuCount } })
    if (!plan.ok) return refusal('machine', plan.error)
    return ok(answerOf(plan.value, size, 'the size that was asked for'))
  }
}

function refusal(about: PlanRefusal['about'], message: string): Result<PlanAnswer, PlanRefusal> {
  return refuse({ about, message })
}

function goalOf({ finishBy, budget }: RunDeclaration, now: number): Result<PlanGoal, string> {
  const until = finishBy === undefined ? undefined : parseMoment(finishBy, now)
  if (until && !until.ok) return refuse(`finishBy: ${until.error}`)
  return ok({
    ...(until && { withinSeconds: (until.value - now) / SECOND_MS }),
    ...(budget !== undefined && { dollars: budget }),
  })
}

function gpusOf(size: ResourceShape, machine: Machine): number | undefined {
  if (size.kind === 'fraction') return undefined
  return size.kind === 'gpus' ? size.gpus : size.nodes * (size.gpusPerNode ?? machine.gpusPerNode)
}

/** Sizes below a node: powers of two that share one evenly. */
function partNodes({ gpusPerNode, gpuCount }: Machine): number[] {
  const counts: number[] = []
  for (let n = 1; n < Math.min(gpusPerNode, gpuCount); n *= 2) if (gpusPerNode % n === 0) counts.push(n)
  return counts
}

/** Whole nodes where it takes several, else GPUs of one. */
function sizeOf({ machine: { gpuCount, gpusPerNode } }: RunPlan): ResourceShape {
  if (gpuCount <= gpusPerNode || gpuCount % gpusPerNode !== 0) return { kind: 'gpus', gpus: gpuCount }
  return { kind: 'nodes', nodes: gpuCount / gpusPerNode, gpusPerNode }
}

function whyText({ withinSeconds, dollars }: PlanGoal, sizes: number): string {
  const under = dollars === undefined ? '' : ` for no more than $${thousands(dollars)}`
  if (withinSeconds !== undefined) {
    const span = formatDuration(Math.min(withinSeconds * SECOND_MS, 10_000 * DAY_MS))
    return `the cheapest of ${sizes} sizes that is done within ${span}${under}, even at the slow end of the estimate`
  }
  if (dollars !== undefined) return `the fastest of ${sizes} sizes${under}`
  return `of ${sizes} sizes the one past which more GPUs cost much and save little`
}

function answerOf(plan: RunPlan, size: ResourceShape, why: string): PlanAnswer {
  const { machine, candidate, relativeError, steps, dollars, reliability } = plan
  return {
    size,
    planned: {
      gpus: machine.gpuCount,
      gpu: machine.gpu.name,
      stepMs: candidate.step.total * SECOND_MS,
      relativeError,
      steps,
      wallMs: Math.ceil(plan.wallSeconds * SECOND_MS),
      dollars,
      strategy: strategyText(candidate.strategy, machine),
      why,
    },
    environment: strategyEnvironment(plan),
    checkpointEveryMs: Math.ceil(reliability.checkpoint.everySeconds * SECOND_MS),
  }
}
