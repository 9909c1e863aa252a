import { id, type NodeId, ok, type Result, refuse, SECOND_MS } from '../../base/index.ts'
import { PRIORITY_CLASSES } from '../policy.ts'
import {
  type CheckpointSpec,
  DEFAULT_RETRY,
  type LimitWarning,
  type RetryLimits,
  type TrainSpec,
  WORKLOAD_TYPES,
  type WorkloadSpec,
  type WorkloadType,
} from '../workload-spec.ts'
import { type Mapping, Place, placeOf, type Source } from './place.ts'
import type { SpecProblem } from './problem.ts'
import { readArray } from './read-array.ts'
import { DeclaredRun, type Planner } from './read-plan.ts'
import { readProgram } from './read-program.ts'
import { readResources } from './read-resources.ts'
import {
  readBoolean,
  readDuration,
  readMoment,
  readName,
  readOneOf,
  readOneOrMore,
  readText,
  readWhole,
} from './read-values.ts'
import { readYaml } from './read-yaml.ts'

/** What a spec file says. */
export interface ParsedSpec {
  /** As written: `team` or `organisation/team`. */
  readonly team?: string
  /** One workload, or one for each index of the array in ascending order. */
  readonly specs: readonly [WorkloadSpec, ...WorkloadSpec[]]
  /** Where a field stands, for problems that are found later; the start of the file for a field that is absent. */
  readonly placeOf: (field: string) => Pick<SpecProblem, 'file' | 'line' | 'column'>
}

export interface ParseOptions {
  /** How messages name the text. */
  readonly file: string
  /** Absolute folder of the spec file; without it `workdir` must be given and absolute. */
  readonly folder?: string | undefined
  /** Values that override the text's: path to YAML text. */
  readonly set?: Readonly<Record<string, string>> | undefined
  /** Plans what is declared under `plan`; without it `gpus: auto` is refused. */
  readonly planner?: Planner | undefined
}

const MOST_PROBLEMS = 50
const DEFAULT_GRACE_MS = 30 * SECOND_MS
/** A replica that crashes is started again a few times before the endpoint is given up. */
const SERVE_USER_RETRIES = 5

/** The workloads that a YAML (or JSON) text describes, or every fault of it in the order of the text. */
export function parseSpec(text: string, options: ParseOptions): Result<ParsedSpec, readonly SpecProblem[]> {
  const { source, top } = readYaml(text, options.file, options.set ?? {})
  const parsed = top && readTop(top, options)
  if (source.problems.length > 0 || !parsed) return refuse(inOrder(source.problems))
  return ok({ ...parsed, placeOf: (field) => find(source, top, field) })
}

function readTop(top: Place, options: ParseOptions): Omit<ParsedSpec, 'placeOf'> | undefined {
  const type = readType(top)
  const fields = top.fields(type)
  if (!fields || type === undefined) return undefined
  const team = fields.read('team', readText)
  const indices = fields.read('array', readArray)
  const spec = readSpec(fields, type, options)
  if (!spec) return undefined
  return { ...(team === undefined ? {} : { team }), specs: members(spec, indices) }
}

/** Which fields are known depends on the type, so that it is read first. */
function readType(top: Place): WorkloadType | undefined {
  const type = top.entries()?.find(([name]) => name === 'type')?.[1]
  if (!type) return new Place(top.source, 'type', top.node).fail('missing; needs train, serve or machines')
  return readOneOf(WORKLOAD_TYPES)(type)
}

function readSpec(
  top: Mapping,
  type: WorkloadType,
  { folder, planner }: ParseOptions,
): WorkloadSpec | undefined {
  const name = top.need('name', 'a name for the workload', readName)
  const priority = top.read('priority', readOneOf(PRIORITY_CLASSES)) ?? 'normal'
  const preemptible = top.read('preemptible', readBoolean) ?? type !== 'machines'
  const declared = new DeclaredRun(top, type, planner)
  const resources = readResources(top, type, declared)
  const program = readProgram(top, type, folder)
  const time = top.read('time', (place) => readTime(place, type))
  const retry = readRetry(top, type)
  const onlyNodes = top.read('onlyNodes', readOneOrMore(readNode))
  const exceptNodes = top.read('exceptNodes', readOneOrMore(readNode))
  const own = OWN_FIELDS[type](top, name)
  if (name === undefined || !resources || !program || !own) return undefined
  const nodes = { ...(onlyNodes && { onlyNodes }), ...(exceptNodes && { exceptNodes }) }
  const spec = {
    name,
    priority,
    preemptible,
    resources,
    program,
    retry,
    ...nodes,
    ...time,
    ...own,
  } as WorkloadSpec
  return spec.type === 'train' ? withPlan(spec, declared, top) : spec
}

const readNode = (place: Place) => {
  const name = readText(place)
  return name === undefined ? undefined : id<NodeId>(name)
}

/** What is planned fills in the times that the spec leaves out; where it made the size too, the program is told the strategy. */
function withPlan(spec: TrainSpec, { declaration, answer }: DeclaredRun, top: Mapping): TrainSpec {
  if (!declaration) return spec
  if (!answer) return { ...spec, plan: declaration }
  const { planned, environment, checkpointEveryMs } = answer
  const { program, checkpoint } = spec
  const isSized = top.place('gpus')?.scalar === 'auto'
  return {
    ...spec,
    plan: declaration,
    planned,
    expectedMs: spec.expectedMs ?? Math.min(planned.wallMs, spec.limitMs ?? Number.POSITIVE_INFINITY),
    ...(isSized && { program: { ...program, env: { ...environment, ...program.env } } }),
    ...(isSized && checkpoint && { checkpoint: { everyMs: checkpointEveryMs, ...checkpoint } }),
  }
}

type OwnFields<Type extends WorkloadType> = Omit<
  Extract<WorkloadSpec, { type: Type }>,
  'name' | 'priority' | 'preemptible' | 'resources' | 'program' | 'retry' | 'expectedMs' | 'limitMs'
>

/** The fields of one type only. */
const OWN_FIELDS: {
  readonly [Type in WorkloadType]: (top: Mapping, name: string | undefined) => OwnFields<Type> | undefined
} = {
  train: (top) => {
    const checkpoint = top.read('checkpoint', readCheckpoint)
    const dependsOn = top.read('dependsOn', readOneOrMore(readText)) ?? []
    return { type: 'train', dependsOn, ...(checkpoint ? { checkpoint } : {}) }
  },
  serve: (top, name) => {
    const model = top.read('model', readText) ?? name
    const replicas = top.read('replicas', readWhole(0, 10_000)) ?? 1
    const readiness = top.read('readiness', readReadiness) ?? DEFAULT_READINESS
    return model === undefined ? undefined : { type: 'serve', model, replicas, readiness }
  },
  machines: (top) => ({ type: 'machines', count: top.read('count', readWhole(1, 10_000)) ?? 1 }),
}

type Times = Pick<TrainSpec, 'expectedMs' | 'limitMs' | 'warning' | 'notBefore'>

function readTime(place: Place, type: WorkloadType): Times | undefined {
  if (!place.isMapping) {
    const limitMs = readDuration(place)
    return limitMs === undefined ? undefined : { limitMs }
  }
  const fields = place.fields(type)
  if (!fields) return undefined
  const expectedMs = fields.read('expected', readDuration)
  const limitMs = fields.read('limit', readDuration)
  if (expectedMs !== undefined && limitMs !== undefined && expectedMs > limitMs) {
    return fields.place('expected')!.fail('is longer than time.limit, at which it would be stopped')
  }
  const notBefore = fields.read('notBefore', readMoment)
  const warning = fields.read('warn', (warn) => readWarning(warn, type))
  if (warning && limitMs === undefined && !fields.has('limit'))
    return fields.place('warn')!.fail('goes with time.limit, which is missing')
  if (warning && limitMs !== undefined && warning.beforeMs > limitMs)
    return fields.place('warn')!.fail('is longer before the limit than the limit itself')
  return {
    ...(expectedMs === undefined ? {} : { expectedMs }),
    ...(limitMs === undefined ? {} : { limitMs }),
    ...(warning && { warning }),
    ...(notBefore === undefined ? {} : { notBefore }),
  }
}

/** What a program may be warned by; each can be caught. */
const WARNINGS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'] as const
/** As sbatch(1) has it for --signal. */
const WARNED_BEFORE_MS = 60 * SECOND_MS

function readWarning(place: Place, type: WorkloadType): LimitWarning | undefined {
  const fields = place.fields(type)
  if (!fields) return undefined
  const signal = fields.need('signal', 'the signal that the tasks are sent', readOneOf(WARNINGS))
  const beforeMs = fields.read('before', readDuration) ?? WARNED_BEFORE_MS
  return signal === undefined ? undefined : { signal, beforeMs }
}

function readRetry(top: Mapping, type: WorkloadType): RetryLimits {
  const defaults = type === 'serve' ? { ...DEFAULT_RETRY, user: SERVE_USER_RETRIES } : DEFAULT_RETRY
  const place = top.place('retry')
  if (!place) return defaults
  if (!place.isMapping) return { ...defaults, user: readWhole(0, 1_000)(place) ?? 0 }
  const fields = place.fields(type)
  return {
    user: fields?.read('user', readWhole(0, 1_000)) ?? defaults.user,
    platform: fields?.read('platform', readWhole(0, 10_000)) ?? defaults.platform,
  }
}

function readCheckpoint(place: Place): CheckpointSpec | undefined {
  const fields = place.fields('train')
  if (!fields) return undefined
  const path = fields.need('path', 'the folder that the program saves to', readText)
  const everyMs = fields.read('every', readDuration)
  const graceMs = fields.read('grace', readDuration) ?? DEFAULT_GRACE_MS
  return path === undefined ? undefined : { path, graceMs, ...(everyMs === undefined ? {} : { everyMs }) }
}

const DEFAULT_READINESS = { path: '/health', timeoutMs: 5 * SECOND_MS, everyMs: 2 * SECOND_MS }

function readReadiness(place: Place): typeof DEFAULT_READINESS | undefined {
  const fields = place.fields('serve')
  if (!fields) return undefined
  const path = fields.read('path', readUrlPath) ?? DEFAULT_READINESS.path
  const timeoutMs = fields.read('timeout', readDuration) ?? DEFAULT_READINESS.timeoutMs
  const everyMs = fields.read('every', readDuration) ?? DEFAULT_READINESS.everyMs
  return { path, timeoutMs, everyMs }
}

function readUrlPath(place: Place): string | undefined {
  const text = readText(place)
  if (text === undefined || /^\/[!-~]*$/.test(text)) return text
  return place.fail(`needs the path of a URL such as /health, found ${place.found}`)
}

function members(
  spec: WorkloadSpec,
  indices: readonly number[] | undefined,
): readonly [WorkloadSpec, ...WorkloadSpec[]] {
  if (!indices || spec.type !== 'train') return [spec]
  const [first, ...rest] = indices.map(
    (index): TrainSpec => ({ ...spec, name: `${spec.name}-${index}`, arrayIndex: index }),
  )
  return first ? [first, ...rest] : [spec]
}

function inOrder(problems: readonly SpecProblem[]): readonly SpecProblem[] {
  const sorted = [...problems].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  )
  if (sorted.length <= MOST_PROBLEMS) return sorted
  const last = sorted[MOST_PROBLEMS]!
  return [
    ...sorted.slice(0, MOST_PROBLEMS),
    { ...last, field: '', message: `${sorted.length - MOST_PROBLEMS} more problems follow` },
  ]
}

function find(source: Source, top: Place, field: string): Pick<SpecProblem, 'file' | 'line' | 'column'> {
  let place: Place | undefined = top
  for (const name of field.split('.')) {
    const next: Place | undefined = place?.entries()?.find(([known]) => known === name)?.[1]
    if (!next) break
    place = next
  }
  return placeOf(source, place?.node)
}
