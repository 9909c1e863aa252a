import { ok, type Result, refuse } from '../../base/index.ts'
import type { ResourceShape, RunDeclaration } from '../../model/index.ts'
import {
  countParameters,
  type Machine,
  planRun,
  type RunPlan,
  requestOfDeclaration,
  trainingInput,
} from '../../planner/index.ts'
import type { Behaviour, Training } from '../fleet/behaviour.ts'
import type { CheckpointChoice } from './scenario.ts'

/** A training run as the planner sees it on the fleet. */
export interface PlannedWork {
  /** Of all its steps at full speed. */
  readonly workUs: number
  readonly training: Training
  /** Absent for a gang that stays within a node. */
  readonly traffic?: NonNullable<Behaviour['traffic']>
  readonly checkpoint: CheckpointChoice
}

/** Time for a program to save and end when it is told to. */
const GRACE_MS = 60_000

/**
 * What the planner expects of a declared run at this size on these GPUs: its steps and how long they take, how much of
 * a step waits for the network, and the checkpoints that it advises. Refused with what the run does not fit or say.
 */
export function plannedWork(
  declaration: RunDeclaration,
  shape: ResourceShape,
  machine: Result<Machine, string>,
): Result<PlannedWork, string> {
  if (!machine.ok) return machine
  if (shape.kind === 'fraction') return refuse('a share of a GPU is not planned for')
  const { gpusPerNode } = machine.value
  const gpuCount = shape.kind === 'gpus' ? shape.gpus : shape.nodes * (shape.gpusPerNode ?? gpusPerNode)
  const input = trainingInput(requestOfDeclaration(declaration), () => ok({ ...machine.value, gpuCount }))
  const plan = input.ok ? planRun(input.value) : input
  if (!plan.ok) return plan
  const { candidate, steps, reliability, shape: model } = plan.value
  const stepUs = Math.max(1, Math.round(candidate.step.total * 1e6))
  const { globalBatch, sequence } = candidate.strategy
  return ok({
    workUs: steps * stepUs,
    training: {
      stepUs,
      tokensPerStep: globalBatch * sequence,
      parameters: countParameters(model).total,
    },
    ...(gpuCount > gpusPerNode ? { traffic: trafficOf(plan.value) } : {}),
    checkpoint: {
      everyMs: Math.ceil(reliability.checkpoint.everySeconds * 1000),
      costMs: Math.ceil(reliability.checkpoint.writeSeconds * 1000),
      graceMs: GRACE_MS + Math.ceil(reliability.checkpoint.writeSeconds * 1000),
    },
  })
}

/** What a step waits for beyond the node; tensor groups stay within it. Experts talk all to all, the rest in rings. */
function trafficOf({ candidate: { step } }: RunPlan): NonNullable<Behaviour['traffic']> {
  const inRings = step.data + step.pipeline + step.context
  return {
    pattern: step.expert > inRings ? 'all-to-all' : 'ring',
    share: (inRings + step.expert) / step.total,
  }
}
