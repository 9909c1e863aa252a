import type { NodeId, OrganisationId, RandomStream } from '../../base/index.ts'
import { HOUR_MS, id, MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type {
  NodeDescription,
  Policy,
  PriorityClass,
  Queue,
  ResourceRequest,
  WorkloadSpec,
} from '../../model/index.ts'
import { DEFAULT_POLICY, ORDERINGS, openQueue, PRIORITY_CLASSES } from '../../model/index.ts'
import type { ControlFaultPlan } from '../faults/control-faults.ts'
import type { FaultPlan } from '../faults/fault-injector.ts'
import { Streams } from '../kernel/streams.ts'
import { SIMULATED_PROGRAM, type SimulatedJob } from '../world/simulated-job.ts'
import { TWIN_ORGANISATION } from '../world/world.ts'
import type { UserAction, WorldSetup } from '../world/world-setup.ts'

/** Everything that a seed decides, small enough to be printed. */
export interface ChaosOptions {
  readonly seed: number
  readonly blocks: number
  readonly nodesPerBlock: number
  readonly gpusPerNode: number
  readonly jobs: number
  readonly safetyHours: number
  readonly policy: Policy
  readonly guaranteedGpus: number
  readonly faults: FaultPlan
  readonly control: ControlFaultPlan
  readonly actions: number
}

export interface ChaosSetup {
  readonly options: ChaosOptions
  readonly setup: WorldSetup
  readonly infeasible: ReadonlySet<number>
}

const TENANTS = ['research', 'product', 'batch'] as const
const OTHER_ORGANISATION = id<OrganisationId>('other')
/** Long enough for all work of a run to end one after the other. */
const LIVENESS_HOURS = 24 * 40

/** The options of a seed: sizes, policy and which faults come how often, each from mild to absurd. */
export function drawOptions(seed: number): ChaosOptions {
  const random = new Streams(seed).named('chaos/options')
  const oneOf = <Item>(items: readonly Item[]): Item => items[random.below(items.length)]!
  const sometimes = (share: number, value: number) => (random.next() < share ? value : 0)
  return {
    seed,
    blocks: 1 + random.below(3),
    nodesPerBlock: 2 + random.below(4),
    gpusPerNode: oneOf([1, 2, 4, 8]),
    jobs: 5 + random.below(40),
    safetyHours: 2 + random.below(22),
    policy: {
      ...DEFAULT_POLICY,
      name: 'drawn',
      ordering: oneOf(ORDERINGS),
      preemptByOrdering: random.next() < 0.3,
      runTimes: oneOf(['declared', 'predicted'] as const),
      backfill: oneOf(['strict', 'holds', 'greedy'] as const),
      holdDepth: random.below(5),
      consolidate: random.next() < 0.7,
      preempt: random.next() < 0.7,
      minimumRunMs: oneOf([0, MINUTE_MS, 10 * MINUTE_MS]),
      evictionGraceMs: oneOf([0, SECOND_MS, 30 * SECOND_MS]),
      reclaimGraceMs: oneOf([0, 5 * MINUTE_MS]),
    },
    guaranteedGpus: random.below(9),
    faults: {
      rates: oneOf([[], ['llama3'], ['llama3', 'hpn'], ['rsc1']]),
      scale: oneOf([100, 1_000, 5_000]),
      ...(random.next() < 0.5 ? { lemons: { nodes: 0.2, failures: 0.7 } } : {}),
      ...(random.next() < 0.5
        ? { stragglers: { perThousandNodeDays: 500, speed: 0.5, lastsMs: HOUR_MS } }
        : {}),
    },
    control: {
      crashesPerDay: sometimes(0.7, oneOf([4, 40, 200])),
      restartMs: oneOf([SECOND_MS, MINUTE_MS, 10 * MINUTE_MS]),
      lostContactPerDay: sometimes(0.6, oneOf([4, 40])),
      lostContactMs: oneOf([10 * SECOND_MS, 10 * MINUTE_MS]),
      storeStallsPerDay: sometimes(0.5, oneOf([10, 100])),
      storeStallMs: oneOf([SECOND_MS, MINUTE_MS]),
      lateShare: sometimes(0.5, 0.2),
      lateMs: oneOf([SECOND_MS, 5 * MINUTE_MS]),
      duplicateShare: sometimes(0.5, 0.2),
    },
    actions: random.below(30),
  }
}

/** The world of these options. */
export function chaosSetup(options: ChaosOptions): ChaosSetup {
  const streams = new Streams(options.seed)
  const nodes = drawNodes(options)
  const infeasible = new Set<number>()
  const jobs = drawJobs(options, streams.named('chaos/jobs'), infeasible)
  return {
    options,
    infeasible,
    setup: {
      seed: options.seed,
      startMs: 0,
      levels: ['site', 'block', 'node'],
      nodes,
      policy: options.policy,
      queues: drawQueues(options, jobs),
      jobs,
      actions: drawActions(options, streams.named('chaos/actions'), nodes, jobs),
      tellSaves: true,
      faults: options.faults,
      controlFaults: options.control,
      healMs: options.safetyHours * HOUR_MS,
      horizonMs: (options.safetyHours + LIVENESS_HOURS) * HOUR_MS,
    },
  }
}

function drawNodes({ blocks, nodesPerBlock, gpusPerNode }: ChaosOptions): NodeDescription[] {
  return Array.from({ length: blocks * nodesPerBlock }, (_, i) => ({
    id: id<NodeId>(`n${i}`),
    domains: ['site', `b${Math.floor(i / nodesPerBlock)}`],
    gpuModel: 'H100-80GB',
    gpuCount: gpusPerNode,
    gpuMemoryBytes: 80e9,
    cpuCount: 96,
    memoryBytes: 2e12,
    nicCount: 8,
    address: `10.0.0.${i}`,
  }))
}

/** The first tenant is guaranteed part of the machine, as far as it has it. */
function drawQueues(options: ChaosOptions, jobs: readonly SimulatedJob[]): Queue[] {
  if (!jobs.some((job) => job.tenant === TENANTS[0] && job.organisation === undefined)) return []
  const total = options.blocks * options.nodesPerBlock * options.gpusPerNode
  const guaranteedGpus = Math.min(options.guaranteedGpus, total)
  const root = id<Queue['id']>(TWIN_ORGANISATION)
  return [
    { ...openQueue(root), guaranteedGpus },
    { ...openQueue(id<Queue['id']>(`${TWIN_ORGANISATION}/${TENANTS[0]}`), root), guaranteedGpus },
  ]
}

function drawJobs(options: ChaosOptions, random: RandomStream, infeasible: Set<number>): SimulatedJob[] {
  const spanMs = options.safetyHours * HOUR_MS
  const arrivals = Array.from({ length: options.jobs }, () => Math.floor(random.next() * spanMs * 0.9)).sort(
    (a, b) => a - b,
  )
  return arrivals.map((submitMs, i) => {
    const isOther = random.next() < 0.15
    const serves = random.next() < 0.1
    const resources = drawRequest(options, random, serves)
    const tenant = TENANTS[random.below(TENANTS.length)]!
    const preemptible = random.next() < 0.8
    const keeps = preemptible || (tenant === TENANTS[0] && !isOther) ? 0 : options.guaranteedGpus
    if (!isFeasible(options, resources, keeps)) infeasible.add(i)
    const runMs = Math.ceil(random.exponential(random.next() < 0.2 ? 6 * HOUR_MS : 40 * MINUTE_MS))
    const saves = random.next() < 0.7
    const graceMs = [0, SECOND_MS, MINUTE_MS][random.below(3)]!
    const priority: PriorityClass = PRIORITY_CLASSES[random.below(PRIORITY_CLASSES.length)]!
    const common = {
      name: `job-${i}`,
      priority,
      resources,
      program: SIMULATED_PROGRAM,
      retry: { user: 1_000_000, platform: 1_000_000 },
      preemptible,
      ...(random.next() < 0.5 ? { expectedMs: runMs } : {}),
    }
    const spec: WorkloadSpec = serves
      ? {
          ...common,
          type: 'serve',
          model: `model-${i}`,
          replicas: 1 + random.below(3),
          readiness: { path: '/health', timeoutMs: SECOND_MS, everyMs: SECOND_MS },
        }
      : {
          ...common,
          type: 'train',
          dependsOn: i > 0 && random.next() < 0.1 ? [`job-${random.below(i)}`] : [],
          ...(saves ? { checkpoint: { path: 'c', graceMs, everyMs: 10 * MINUTE_MS } } : {}),
        }
    if (serves && spec.type === 'serve') {
      const total = options.blocks * options.nodesPerBlock
      if (spec.replicas > total) infeasible.add(i)
    }
    return {
      submitMs,
      ...(isOther ? { organisation: OTHER_ORGANISATION } : {}),
      tenant,
      user: `user-${random.below(4)}`,
      spec,
      behaviour: {
        ...(serves ? {} : { workUs: runMs * 1000 }),
        startUs: random.below(60) * 1_000_000,
        saveUs: random.below(20) * 1_000_000,
        savesWhenTold: saves,
        ...(saves ? { saveEveryUs: 10 * MINUTE_MS * 1000 } : {}),
      },
    }
  })
}

function drawRequest(options: ChaosOptions, random: RandomStream, serves: boolean): ResourceRequest {
  const { blocks, nodesPerBlock, gpusPerNode } = options
  const total = blocks * nodesPerBlock * gpusPerNode
  if (serves) return { shape: { kind: 'gpus', gpus: 1 } }
  const kind = random.next()
  if (kind < 0.1) return { shape: { kind: 'fraction', milliGpus: 100 * (1 + random.below(9)) } }
  if (kind < 0.6) {
    const most = random.next() < 0.03 ? total + 5 : total
    return {
      shape: {
        kind: 'gpus',
        gpus: 1 + random.below(random.next() < 0.6 ? Math.min(most, gpusPerNode) : most),
      },
    }
  }
  const nodes = 1 + random.below(blocks * nodesPerBlock)
  const shape = {
    kind: 'nodes',
    nodes,
    ...(random.next() < 0.4 ? { gpusPerNode: 1 + random.below(gpusPerNode) } : {}),
  } as const
  if (random.next() < 0.3) {
    const mode = random.next() < 0.5 ? 'required' : 'preferred'
    return { shape, within: { level: 'block', mode, waitMs: 10 * MINUTE_MS } }
  }
  return { shape }
}

/** Whether the whole and sound machine could hold it beside what is kept for others, who could not get it back from it. */
function isFeasible(options: ChaosOptions, { shape, within }: ResourceRequest, keptGpus: number): boolean {
  const { blocks, nodesPerBlock, gpusPerNode } = options
  const total = blocks * nodesPerBlock * gpusPerNode - keptGpus
  if (shape.kind === 'gpus') return shape.gpus <= total
  if (shape.kind === 'fraction') return total > 0
  const nodes = within?.mode === 'required' ? nodesPerBlock : blocks * nodesPerBlock
  return shape.nodes <= nodes && shape.nodes * (shape.gpusPerNode ?? gpusPerNode) <= total
}

function drawActions(
  options: ChaosOptions,
  random: RandomStream,
  nodes: readonly NodeDescription[],
  jobs: readonly SimulatedJob[],
): UserAction[] {
  const spanMs = options.safetyHours * HOUR_MS
  const actions: UserAction[] = Array.from({ length: options.actions }, () => {
    const atMs = Math.floor(random.next() * spanMs)
    if (random.next() < 0.4) {
      return { atMs, what: { kind: 'stop', job: random.below(jobs.length), kill: random.next() < 0.3 } }
    }
    const action = (['cordon', 'drain', 'resume'] as const)[random.below(3)]!
    return { atMs, what: { kind: 'node', node: nodes[random.below(nodes.length)]!.id, action } }
  })
  // What serves would go on for ever: its users end it once all is healed.
  jobs.forEach(({ spec }, job) => {
    if (spec.type === 'serve')
      actions.push({ atMs: spanMs + HOUR_MS, what: { kind: 'stop', job, kill: false } })
  })
  return actions
}
