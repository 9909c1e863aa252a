import { ok, type Result, refuse } from '../base/index.ts'
import type { RunDeclaration } from '../model/index.ts'
import { modelByName } from './catalogue.ts'
import { planForGoal } from './goal.ts'
import { gpuByName, type Machine, machineByTemplate, machineOf, type Precision } from './gpu.ts'
import { shapeFromHuggingFace } from './hf-config.ts'
import { type ModelShape, modelShape, type ShapeInput } from './model-shape.ts'
import { countParameters } from './parameters.ts'
import { planRun, type RunInput, type RunPlan } from './run.ts'
import type { Strategy } from './strategy.ts'

/** A model by its name, by a Hugging Face `config.json`, or by its shape; the name then only labels it. */
export interface ModelRequest {
  readonly model?: string
  readonly config?: Readonly<Record<string, unknown>>
  readonly shape?: ShapeInput
}

/** A cluster (`nd-h100-v5:64`), or `gpus` of one kind; without either all, or `gpus`, of the live cluster. */
export interface MachineRequest {
  readonly cluster?: string
  readonly gpu?: string
  readonly gpus?: number
}

/** A training run as people ask for it: what they leave out is filled in or free. */
export interface TrainingRequest extends ModelRequest, MachineRequest {
  readonly tokens?: number
  /** With `batch`, in place of `tokens`. */
  readonly steps?: number
  readonly batch?: number
  readonly sequence?: number
  readonly precision?: Precision
  readonly software?: string
  readonly fixed?: Partial<Strategy>
  readonly dollarsPerGpuHour?: number
  readonly measuredStepSeconds?: number
}

/** What a run must keep to; `days` without tokens asks how many tokens so long a run trains. */
export interface PlanGoal {
  readonly days?: number
  readonly withinSeconds?: number
  readonly dollars?: number
}

/** Tokens for each parameter that train a model best for its cost (Hoffmann et al., arXiv 2203.15556, table 3). */
const TOKENS_PER_PARAMETER = 20

const DAY = 86_400

/** Of shapes that do not say. */
const VOCABULARY = 128_256
const SEQUENCE = 8192

/** What to plan, or the sentence that says what is unknown or missing. `live` gives the machine where none is named. */
export function trainingInput(
  request: TrainingRequest,
  live: () => Result<Machine, string> = noMachine,
): Result<RunInput, string> {
  const shape = requestedShape(request)
  if (!shape.ok) return shape
  const machine = requestedMachine(request, live)
  if (!machine.ok) return machine
  const tokens = requestedTokens(request, shape.value)
  if (!tokens.ok) return tokens
  const { batch, software, fixed, dollarsPerGpuHour, measuredStepSeconds } = request
  return ok({
    shape: shape.value,
    machine: machine.value,
    tokens: tokens.value,
    sequence: request.sequence ?? shape.value.sequence,
    precision: request.precision ?? 'bf16',
    ...(batch !== undefined && { globalBatch: batch }),
    ...(software !== undefined && { software }),
    ...(fixed !== undefined && { fixed }),
    ...(dollarsPerGpuHour !== undefined && { dollarsPerGpuHour }),
    ...(measuredStepSeconds !== undefined && { measuredStepSeconds }),
  })
}

/** The request that a workload's spec makes by its `plan`, but for the goal. */
export function requestOfDeclaration({
  shape,
  finishBy: _,
  budget: __,
  ...rest
}: RunDeclaration): TrainingRequest {
  if (!shape) return rest
  const { experts, topK, expertFfn, ...plain } = shape
  return {
    ...rest,
    shape: {
      ...plain,
      vocabulary: shape.vocabulary ?? VOCABULARY,
      sequence: rest.sequence ?? SEQUENCE,
      ...(experts !== undefined && {
        experts: { count: experts, topK: topK ?? 2, ffn: expertFfn ?? shape.ffn ?? 4 * shape.hidden },
      }),
    },
  }
}

/** The plan of the whole machine, or where there is a goal the cheapest part of it that keeps to the goal. */
export function planTraining(
  input: RunInput,
  isTokensGiven: boolean,
  goal: PlanGoal,
): Result<RunPlan, string> {
  const { days, dollars } = goal
  if (days !== undefined && !isTokensGiven) {
    const once = planRun(input)
    if (!once.ok) return once
    return planRun({ ...input, tokens: (input.tokens * days * DAY) / once.value.wallSeconds })
  }
  const withinSeconds = goal.withinSeconds ?? (days === undefined ? undefined : days * DAY)
  if (withinSeconds === undefined && dollars === undefined) return planRun(input)
  return planForGoal(input, {
    ...(withinSeconds !== undefined && { withinSeconds }),
    ...(dollars !== undefined && { dollars }),
  })
}

/** The shape of the model that is asked for, or why there is none. */
export function requestedShape({ model, config, shape }: ModelRequest): Result<ModelShape, string> {
  if (config) return shapeFromHuggingFace(config, model)
  if (shape) return modelShape({ ...shape, name: model ?? shape.name ?? 'a model' })
  if (model === undefined) {
    return refuse('no model is named; give a name such as llama3-70b, a Hugging Face config.json, or a shape')
  }
  return modelByName(model)
}

/** The machine that is asked for, or why there is none. */
export function requestedMachine(
  { cluster, gpu, gpus }: MachineRequest,
  live: () => Result<Machine, string> = noMachine,
): Result<Machine, string> {
  if (cluster !== undefined && cluster !== LIVE) {
    const machine = machineByTemplate(cluster)
    return machine.ok && gpus !== undefined ? ok({ ...machine.value, gpuCount: gpus }) : machine
  }
  if (gpu !== undefined && cluster === undefined) {
    const known = gpuByName(gpu)
    if (!known.ok) return known
    return gpus === undefined
      ? refuse(`how many ${gpu} is missing; give gpus too`)
      : ok(machineOf(known.value, gpus))
  }
  const machine = live()
  if (!machine.ok || gpus === undefined) return machine
  const { gpuCount } = machine.value
  return gpus > gpuCount
    ? refuse(`the cluster has ${gpuCount} x ${machine.value.gpu.name}, and ${gpus} were asked for`)
    : ok({ ...machine.value, gpuCount: gpus })
}

/** Names the live cluster where a template would stand. */
export const LIVE = 'live'

function noMachine(): Result<Machine, string> {
  return refuse('no machine is named; give gpus (with gpu), or a cluster such as nd-h100-v5:64')
}

function requestedTokens(
  { tokens, steps, batch, sequence }: TrainingRequest,
  shape: ModelShape,
): Result<number, string> {
  if (tokens !== undefined) return ok(tokens)
  if (steps === undefined) return ok(TOKENS_PER_PARAMETER * countParameters(shape).total)
  if (batch === undefined)
    return refuse('steps say nothing about tokens without a batch; give batch too, or tokens')
  return ok(steps * batch * (sequence ?? shape.sequence))
}
