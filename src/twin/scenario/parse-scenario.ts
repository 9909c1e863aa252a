import type { Result } from '../../base/index.ts'
import type { FabricCapacity } from '../../fabric/index.ts'
import type { FaultPlan } from '../faults/fault-injector.ts'
import { RATE_SETS } from '../faults/rates.ts'
import { controlFaultsAt } from './control-faults-at.ts'
import { EMPTY_SCENARIO } from './defaults.ts'
import { checkpointAt, workloadAt } from './parse-workloads.ts'
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
  readText,
  readWhole,
  type SpecProblem,
  spanAt,
} from './read.ts'
import { policyAt } from './read-policy.ts'
import type { ClusterChoice, QueueChoice, Scenario } from './scenario.ts'

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
  return readDocument(text, file, '`cluster:` and `workloads:`', scenarioAt)
}

function scenarioAt(top: Place): Scenario | undefined {
  const fields = Fields.of(top, FIELDS)
  if (!fields) return undefined
  const cluster = fields.need('cluster', '`nodes` and `gpus`, or `template` and `nodes`', clusterAt)
  const workloads = fields.need(
    'workloads',
    'a list of trace, generate, jobs, serve or machines',
    readList(workloadAt),
  )
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
