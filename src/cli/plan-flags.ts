import { readFileSync } from 'node:fs'
import { parseAmount, parseDuration, parseMoment } from '../base/index.ts'
import type {
  MachineRequest,
  ModelRequest,
  Precision,
  RequestMix,
  ShapeInput,
  Strategy,
  TrainingRequest,
} from '../planner/index.ts'
import { LIVE } from '../planner/index.ts'
import { CliFailure } from './failure.ts'

/** The options of `banyan plan` as commander gives them. */
export interface PlanFlags {
  readonly gpus?: string | undefined
  readonly gpu?: string
  readonly cluster?: string
  readonly config?: string
  readonly shape?: string
  readonly tokens?: string
  readonly steps?: string
  readonly days?: string
  readonly batch?: string
  readonly sequence?: string
  readonly precision?: Precision
  readonly software?: string
  readonly fixed?: string
  readonly price?: string
  readonly measured?: string
  readonly finishBy?: string
  readonly budget?: string
  readonly spec?: string
  readonly run?: string
  readonly curve?: boolean
  readonly html?: string
  readonly json?: boolean
  readonly serve?: boolean
  readonly input: string
  readonly output: string
  readonly rate: string
  readonly firstToken?: string
  readonly perToken?: string
  readonly replicaGpus?: string
}

/** The model that a name, a configuration file or a shape describes. */
export function modelRequest(name: string | undefined, flags: PlanFlags): ModelRequest {
  return {
    ...(name !== undefined && { model: name }),
    ...(flags.config !== undefined && { config: configFile(flags.config) }),
    ...(flags.shape !== undefined && { shape: shapeFields(flags.shape) }),
  }
}

function configFile(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  } catch (error) {
    throw new CliFailure('usage', `${file} cannot be read as JSON: ${(error as Error).message}`)
  }
}

const USUAL_GPU = 'H100'

/** The machine to plan for; with `--gpus` alone they are H100s, with nothing it is the live cluster. */
export function machineRequest({ cluster, gpu, gpus }: PlanFlags): MachineRequest {
  const count = gpus === undefined ? undefined : whole('--gpus', gpus)
  if (cluster !== undefined) return { cluster, ...(count !== undefined && { gpus: count }) }
  if (count === undefined && gpu === undefined) return { cluster: LIVE }
  return { gpu: gpu ?? USUAL_GPU, ...(count !== undefined && { gpus: count }) }
}

/** What to plan: the run of a model on a machine. */
export function trainingRequest(model: string | undefined, flags: PlanFlags): TrainingRequest {
  return {
    ...modelRequest(model, flags),
    ...machineRequest(flags),
    ...(flags.tokens !== undefined && { tokens: amount('--tokens', flags.tokens) }),
    ...(flags.steps !== undefined && { steps: whole('--steps', flags.steps) }),
    ...(flags.batch !== undefined && { batch: whole('--batch', flags.batch) }),
    ...(flags.sequence !== undefined && { sequence: whole('--sequence', flags.sequence) }),
    ...(flags.precision !== undefined && { precision: flags.precision }),
    ...(flags.software !== undefined && { software: flags.software }),
    ...(flags.fixed !== undefined && { fixed: fixedFields(flags.fixed) }),
    ...(flags.price !== undefined && { dollarsPerGpuHour: amount('--price', flags.price) }),
    ...(flags.measured !== undefined && { measuredStepSeconds: seconds('--measured', flags.measured) }),
  }
}

export function requestMix(flags: PlanFlags): RequestMix {
  return {
    inputTokens: amount('--input', flags.input),
    outputTokens: amount('--output', flags.output),
    requestsPerSecond: amount('--rate', flags.rate),
    ...(flags.firstToken !== undefined && {
      maxFirstTokenSeconds: seconds('--first-token', flags.firstToken),
    }),
    ...(flags.perToken !== undefined && { maxSecondsPerToken: seconds('--per-token', flags.perToken) }),
  }
}

/** Seconds from `now` to a moment (`2026-12-24`, `friday`) or over a span (`30d`). */
export function secondsUntil(text: string, now: number): number {
  const moment = parseMoment(text, now)
  if (!moment.ok) throw new CliFailure('usage', `--finish-by: ${moment.error}`)
  return (moment.value - now) / 1000
}

/** A number such as `15T`, `300B`, `2.5e12` or `$1,200,000`. */
export function amount(flag: string, text: string): number {
  const value = parseAmount(text)
  if (!value.ok) throw new CliFailure('usage', `${flag}: ${value.error}`)
  return value.value
}

function whole(flag: string, text: string): number {
  const value = amount(flag, text)
  if (!Number.isInteger(value)) throw new CliFailure('usage', `${flag} ${text} must be a whole number`)
  return value
}

function seconds(flag: string, text: string): number {
  const span = parseDuration(text)
  if (!span.ok) throw new CliFailure('usage', `${flag}: ${span.error}`)
  return span.value / 1000
}

const FIXED = {
  tp: 'tensor',
  cp: 'context',
  pp: 'pipeline',
  vp: 'interleave',
  ep: 'expert',
  etp: 'expertTensor',
  mb: 'microBatch',
  zero: 'sharding',
} as const satisfies Record<string, keyof Strategy>

/** `tp=4,pp=8,recompute=full` as fields of a strategy. */
function fixedFields(text: string): Partial<Strategy> {
  const fields: Record<string, unknown> = {}
  for (const [name, value] of pairs('--fixed', text)) {
    if (name === 'recompute') {
      if (!/^(none|selective|full)$/.test(value))
        throw new CliFailure('usage', `recompute=${value}: write none, selective or full`)
      fields.recompute = value
    } else if (name === 'zero' && !/^[0-3]$/.test(value)) {
      throw new CliFailure('usage', `zero=${value}: ZeRO has the stages 0, 1, 2 and 3`)
    } else if (name in FIXED)
      fields[FIXED[name as keyof typeof FIXED]] = name === 'zero' ? Number(value) : whole(name, value)
    else
      throw new CliFailure(
        'usage',
        `--fixed knows no "${name}"`,
        `write some of ${Object.keys(FIXED).join(', ')}, recompute`,
      )
  }
  return fields as Partial<Strategy>
}

const SHAPE_FIELDS = [
  'layers',
  'hidden',
  'heads',
  'kvHeads',
  'headDim',
  'ffn',
  'vocabulary',
  'sequence',
  'experts',
  'topK',
  'expertFfn',
  'sharedFfn',
] as const

function shapeFields(text: string): ShapeInput {
  const given = new Map<string, number>()
  for (const [field, value] of pairs('--shape', text)) {
    if (!(SHAPE_FIELDS as readonly string[]).includes(field)) {
      throw new CliFailure('usage', `--shape knows no "${field}"`, `write some of ${SHAPE_FIELDS.join(', ')}`)
    }
    given.set(field, whole(field, value))
  }
  for (const field of ['layers', 'hidden', 'heads'] as const) {
    if (!given.has(field))
      throw new CliFailure('usage', `--shape lacks ${field}`, 'layers, hidden and heads are needed')
  }
  const optional = (field: (typeof SHAPE_FIELDS)[number]) => given.get(field)
  const hidden = given.get('hidden')!
  const ffn = optional('ffn') ?? 4 * hidden
  const kvHeads = optional('kvHeads')
  const headDim = optional('headDim')
  const experts = optional('experts')
  return {
    layers: given.get('layers')!,
    hidden,
    heads: given.get('heads')!,
    ffn,
    vocabulary: optional('vocabulary') ?? 128_256,
    sequence: optional('sequence') ?? 8192,
    ...(kvHeads && { kvHeads }),
    ...(headDim && { headDim }),
    ...(experts && {
      experts: {
        count: experts,
        topK: optional('topK') ?? 2,
        ffn: optional('expertFfn') ?? ffn,
        sharedFfn: optional('sharedFfn') ?? 0,
      },
    }),
  }
}

function pairs(flag: string, text: string): [string, string][] {
  return text.split(',').map((pair) => {
    const [name, value] = pair.split('=').map((part) => part.trim())
    if (!name || !value) throw new CliFailure('usage', `${flag} "${pair}" is not NAME=VALUE`)
    return [name, value]
  })
}

/** The value of a result, or its refusal as a fault of the command line. */
export function checked<Value>(result: { ok: true; value: Value } | { ok: false; error: string }): Value {
  if (!result.ok) throw new CliFailure('usage', result.error)
  return result.value
}
