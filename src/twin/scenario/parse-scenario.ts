import type { Result } from '../../base/index.ts'
import type { FabricCapacity } from '../../fabric/index.ts'
import { PRIORITY_CLASSES } from '../../model/index.ts'
import type { FaultPlan } from '../faults/fault-injector.ts'
import { RATE_SETS } from '../faults/rates.ts'
import { SHAPE_NAMES } from '../traces/generate.ts'
import { controlFaultsAt } from './control-faults-at.ts'
import { EMPTY_SCENARIO } from './defaults.ts'
import { parseMoment } from './moment.ts'
import { POLICY_NAMES, policyByName } from './policies.ts'
import {
  Fields,
  type Place,
  type Reader,
  readBoolean,
  readDocument,
  readDuration,
  readList,
  readNumber,
  readOneOf,
  readSpanOrNone,
  readText,
  readWhole,
  type SpecProblem,
} from './read.ts'
import { policyAt } from './read-policy.ts'
import type {
  CheckpointChoice,
  ClusterChoice,
  Moment,
  QueueChoice,
  Scenario,
  Span,
  WorkloadSource,
} from './scenario.ts'

const FIELDS = [
  'name',
  'seed',
  'horizon',
  'cluster',
  'policy',
  'declareRunTimes',
  'workloads',
  'startCost',
  'checkpoint',
  'queues',
  'faults',
  'controlFaults',
  'fabric',
  'pricePerGpuHour',
] as const

/** The scenario of a YAML text, or all that is wrong with it, each with line, column and what is allowed. */
export function parseScenario(text: string, file: string): Result<Scenario, readonly SpecProblem[]> {
  return readDocument(text, file, scenarioAt)
}

function scenarioAt(top: Place): Scenario | undefined {
  const fields = Fields.of(top, FIELDS)
  if (!fields) return undefined
  const cluster = fields.need('cluster', '`nodes` and `gpus`, or `template` and `nodes`', clusterAt)
  const workloads = fields.need('workloads', 'a list of trace, generate or jobs', readList(workloadAt))
  const policy = fields.read('policy', namedOrPolicyAt)
  if (!cluster || !workloads) return undefined
  const horizonMs = fields.read('horizon', readDuration)
  const faults = fields.read('faults', faultsAt)
  const controlFaults = fields.read('controlFaults', controlFaultsAt)
  const fabric = fields.read('fabric', fabricAt)
  return {
    name: fields.read('name', readText) ?? EMPTY_SCENARIO.name,
    seed: fields.read('seed', readWhole(0, Number.MAX_SAFE_INTEGER)) ?? EMPTY_SCENARIO.seed,
    cluster,
    policy: policy?.policy ?? EMPTY_SCENARIO.policy,
    declareRunTimes: fields.read('declareRunTimes', readBoolean) ?? policy?.needsRunTimes ?? false,
    workloads,
    startCost: fields.read('startCost', spanAt) ?? EMPTY_SCENARIO.startCost,
    checkpoint: fields.read('checkpoint', checkpointAt) ?? EMPTY_SCENARIO.checkpoint,
    queues: fields.read('queues', readList(queueAt)) ?? [],
    pricePerGpuHour: fields.read('pricePerGpuHour', readNumber(0)) ?? EMPTY_SCENARIO.pricePerGpuHour,
    ...(horizonMs !== undefined ? { horizonMs } : {}),
    ...(faults ? { faults } : {}),
    ...(controlFaults ? { controlFaults } : {}),
    ...(fabric ? { fabric } : {}),
  }
}

const clusterAt: Reader<ClusterChoice> = (place) => {
  const fields = Fields.of(place, ['nodes', 'gpus', 'gpuModel', 'template'])
  const nodes = fields?.need('nodes', 'how many', readWhole(1))
  if (!fields || nodes === undefined) return undefined
  const template = fields.read('template', readText)
  if (template !== undefined) return { kind: 'template', template, nodes }
  const gpus = fields.need('gpus', 'GPUs of each node', readWhole(1))
  const gpuModel = fields.read('gpuModel', readText) ?? 'H100-80GB'
  return gpus === undefined ? undefined : { kind: 'plain', nodes, gpus, gpuModel }
}

const namedOrPolicyAt = (place: Place) => {
  if (!place.isMapping) return policyByName(readOneOf(POLICY_NAMES)(place) ?? '')
  const policy = policyAt(place)
  return policy && { policy, needsRunTimes: policy.runTimes === 'exact' }
}

const workloadAt: Reader<WorkloadSource> = (place) => {
  const kinds = ['trace', 'generate', 'jobs'] as const
  const fields = Fields.of(place, kinds)
  if (!fields) return undefined
  if (fields.has('trace')) return fields.read('trace', traceAt)
  if (fields.has('generate')) return fields.read('generate', generateAt)
  if (fields.has('jobs')) return fields.read('jobs', jobsAt)
  return place.fail(`needs one of ${kinds.join(', ')}`)
}

const momentAt: Reader<Moment> = (place) => {
  const moment = parseMoment(place.scalarText)
  return moment.ok ? moment.value : place.fail(moment.error)
}

const traceAt: Reader<WorkloadSource> = (place) => {
  const fields = Fields.of(place, ['file', 'format', 'from', 'to'])
  const file = fields?.need('file', 'a CSV or the output of sacct -P', readText)
  if (!fields || file === undefined) return undefined
  const from = fields.read('from', momentAt)
  const to = fields.read('to', momentAt)
  return {
    kind: 'trace',
    file,
    format: fields.read('format', readOneOf(['auto', 'csv', 'sacct'])) ?? 'auto',
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
  }
}

const generateAt: Reader<WorkloadSource> = (place) => {
  const fields = Fields.of(place, ['shape', 'load', 'span', 'largestGpus'])
  const shape = fields?.need('shape', SHAPE_NAMES.join(', '), readOneOf(SHAPE_NAMES))
  const spanMs = fields?.need('span', 'how long jobs arrive, such as 30d', readDuration)
  if (!fields || shape === undefined || spanMs === undefined) return undefined
  const largestGpus = fields.read('largestGpus', readWhole(1))
  return {
    kind: 'generate',
    shape,
    spanMs,
    load: fields.read('load', readNumber(0.001, 10)) ?? 0.8,
    ...(largestGpus !== undefined ? { largestGpus } : {}),
  }
}

const jobsAt: Reader<WorkloadSource> = (place) => {
  const fields = Fields.of(place, [
    'name',
    'tenant',
    'count',
    'every',
    'nodes',
    'gpus',
    'run',
    'priority',
    'preemptible',
    'retryUser',
    'checkpoint',
    'traffic',
  ])
  const runMs = fields?.need('run', 'the run time at full speed', readDuration)
  if (!fields || runMs === undefined) return undefined
  const nodes = fields.read('nodes', readWhole(1))
  const gpus = fields.read('gpus', readWhole(1))
  if ((nodes === undefined) === (gpus === undefined)) return place.fail('needs either "nodes" or "gpus"')
  const checkpoint = fields.read('checkpoint', checkpointAt)
  const traffic = fields.read('traffic', trafficAt)
  return {
    kind: 'jobs',
    name: fields.read('name', readText) ?? 'job',
    tenant: fields.read('tenant', readText) ?? 'team',
    count: fields.read('count', readWhole(1)) ?? 1,
    everyMs: fields.read('every', readSpanOrNone) ?? 0,
    size: nodes !== undefined ? { nodes } : { gpus: gpus! },
    runMs,
    priority: fields.read('priority', readOneOf(PRIORITY_CLASSES)) ?? 'normal',
    preemptible: fields.read('preemptible', readBoolean) ?? true,
    retryUser: fields.read('retryUser', readWhole(0)) ?? 0,
    ...(checkpoint ? { checkpoint } : {}),
    ...(traffic ? { traffic } : {}),
  }
}

const trafficAt = (place: Place) => {
  const fields = Fields.of(place, ['pattern', 'share'])
  const pattern = fields?.need(
    'pattern',
    'ring, tree or all-to-all',
    readOneOf(['ring', 'tree', 'all-to-all']),
  )
  const share = fields?.need('share', 'the share of a step that waits for it, such as 0.2', readNumber(0, 1))
  return pattern && share !== undefined ? { pattern, share } : undefined
}

const checkpointAt: Reader<CheckpointChoice> = (place) => {
  const fields = Fields.of(place, ['every', 'cost', 'grace'])
  if (!fields) return undefined
  const everyMs = fields.read('every', readDuration)
  return {
    costMs: fields.read('cost', readSpanOrNone) ?? 0,
    graceMs: fields.read('grace', readSpanOrNone) ?? 0,
    ...(everyMs !== undefined ? { everyMs } : {}),
  }
}

/** One span, or `from` and `to`. */
const spanAt: Reader<Span> = (place) => {
  if (!place.isMapping) {
    const span = readSpanOrNone(place)
    return span === undefined ? undefined : { fromMs: span, toMs: span }
  }
  const fields = Fields.of(place, ['from', 'to'])
  const fromMs = fields?.need('from', 'a span', readSpanOrNone)
  const toMs = fields?.need('to', 'a span', readSpanOrNone)
  if (fromMs === undefined || toMs === undefined) return undefined
  return toMs < fromMs ? place.fail('ends before it begins') : { fromMs, toMs }
}

const queueAt: Reader<QueueChoice> = (place) => {
  const fields = Fields.of(place, ['tenant', 'guaranteed', 'limit', 'weight', 'lendable'])
  const tenant = fields?.need('tenant', 'whose queue it is', readText)
  if (!fields || tenant === undefined) return undefined
  const guaranteedGpus = fields.read('guaranteed', readWhole(0))
  const limitGpus = fields.read('limit', readWhole(0))
  const weight = fields.read('weight', readNumber(0.001))
  const lendable = fields.read('lendable', readBoolean)
  return {
    tenant,
    settings: {
      ...(guaranteedGpus !== undefined ? { guaranteedGpus } : {}),
      ...(limitGpus !== undefined ? { limitGpus } : {}),
      ...(weight !== undefined ? { weight } : {}),
      ...(lendable !== undefined ? { lendable } : {}),
    },
  }
}

const faultsAt: Reader<FaultPlan> = (place) => {
  const fields = Fields.of(place, ['rates', 'scale', 'lemons', 'stragglers'])
  if (!fields) return undefined
  const lemons = fields.read('lemons', (below) => {
    const parts = Fields.of(below, ['nodes', 'failures'])
    const nodes = parts?.need('nodes', 'their share of the nodes', readNumber(0, 1))
    const failures = parts?.need('failures', 'their share of the failures', readNumber(0, 1))
    return nodes !== undefined && failures !== undefined ? { nodes, failures } : undefined
  })
  const stragglers = fields.read('stragglers', (below) => {
    const parts = Fields.of(below, ['perThousandNodeDays', 'speed', 'lasts'])
    const perThousandNodeDays = parts?.need('perThousandNodeDays', 'a rate', readNumber(0))
    const speed = parts?.need('speed', 'below 1', readNumber(0.01, 1))
    const lastsMs = parts?.need('lasts', 'a span', readDuration)
    return perThousandNodeDays !== undefined && speed !== undefined && lastsMs !== undefined
      ? { perThousandNodeDays, speed, lastsMs }
      : undefined
  })
  return {
    rates: fields.read('rates', readList(readOneOf(RATE_SETS))) ?? [],
    scale: fields.read('scale', readNumber(0)) ?? 1,
    ...(lemons ? { lemons } : {}),
    ...(stragglers ? { stragglers } : {}),
  }
}

const fabricAt: Reader<FabricCapacity> = (place) => {
  const fields = Fields.of(place, ['nodeBytesPerSecond', 'oversubscription'])
  if (!fields) return undefined
  const oversubscription = fields.read('oversubscription', (below) => {
    const entries = below.entries()
    if (!entries) return below.expected('levels, each with a number from 1')
    const read = entries.map(([level, value]) => [level, readNumber(1)(value)] as const)
    return read.every(([, value]) => value !== undefined)
      ? (Object.fromEntries(read) as Readonly<Record<string, number>>)
      : undefined
  })
  return {
    nodeBytesPerSecond: fields.read('nodeBytesPerSecond', readNumber(1)) ?? 400e9,
    oversubscription: oversubscription ?? {},
  }
}
