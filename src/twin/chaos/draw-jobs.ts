import type { RandomStream } from '../../base/index.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type { ResourceRequest, WorkloadSpec } from '../../model/index.ts'
import { PRIORITY_CLASSES } from '../../model/index.ts'
import type { Behaviour } from '../fleet/behaviour.ts'
import { SIMULATED_PROGRAM, type SimulatedJob } from '../world/simulated-job.ts'
import { guaranteedGpus, OTHER_ORGANISATION, TENANTS } from './draw-queues.ts'
import { drawRequest } from './draw-request.ts'
import type { ChaosOptions } from './options.ts'

export interface DrawnJobs {
  readonly jobs: SimulatedJob[]
  /** By index: those that may not be able to run even on the whole and sound machine. */
  readonly infeasible: ReadonlySet<number>
}

/** So many tries of a program that fails itself, and of one whose failures are the machine's. */
const FEW_RETRIES = { user: 2, platform: 1_000_000 }
const ALL_RETRIES = { user: 1_000_000, platform: 1_000_000 }

/** What users submit during nine tenths of the safety phase. */
export function drawJobs(options: ChaosOptions, random: RandomStream): DrawnJobs {
  const spanMs = options.safetyHours * HOUR_MS
  const infeasible = new Set<number>()
  const arrivals = Array.from({ length: options.jobs }, () => Math.floor(random.next() * spanMs * 0.9))
  const jobs = arrivals
    .sort((a, b) => a - b)
    .map((submitMs, i) => {
      const job = drawJob(options, random, i)
      if (!isFeasible(options, job)) infeasible.add(i)
      return { submitMs, ...job }
    })
  return { jobs, infeasible }
}

function drawJob(options: ChaosOptions, random: RandomStream, i: number): Omit<SimulatedJob, 'submitMs'> {
  const oneOf = <Item>(items: readonly Item[]): Item => items[random.below(items.length)]!
  const isOther = random.next() < 0.15
  const kind = random.next()
  const type = kind < 0.1 ? 'serve' : kind < 0.14 ? 'machines' : 'train'
  const resources = drawRequest(options, random, type)
  const runMs = Math.ceil(random.exponential(random.next() < 0.2 ? 6 * HOUR_MS : 40 * MINUTE_MS))
  const saves = resources.elastic !== undefined || random.next() < 0.7
  const fails = type === 'train' && random.next() < 0.08
  const common = {
    name: `job-${i}`,
    priority: oneOf(PRIORITY_CLASSES),
    resources,
    program: SIMULATED_PROGRAM,
    retry: fails ? FEW_RETRIES : ALL_RETRIES,
    preemptible: random.next() < 0.8,
    ...(random.next() < 0.5 && { expectedMs: runMs }),
  }
  const graceMs = oneOf([0, SECOND_MS, MINUTE_MS])
  const spec: WorkloadSpec =
    type === 'serve'
      ? {
          ...common,
          type,
          model: `model-${i}`,
          replicas: 1 + random.below(3),
          readiness: { path: '/health', timeoutMs: SECOND_MS, everyMs: SECOND_MS },
        }
      : type === 'machines'
        ? { ...common, type, count: 1 }
        : {
            ...common,
            type,
            dependsOn: i > 0 && random.next() < 0.1 ? [`job-${random.below(i)}`] : [],
            ...(random.next() < 0.15 && { limitMs: Math.ceil(runMs * oneOf([0.5, 2, 10])) }),
            ...(random.next() < 0.1 && { arrayIndex: random.below(4) }),
            ...(saves && { checkpoint: { path: 'c', graceMs, everyMs: 10 * MINUTE_MS } }),
          }
  const behaviour: Behaviour = {
    ...(type === 'train' && { workUs: runMs * 1000 }),
    startUs: random.below(60) * 1_000_000,
    saveUs: random.below(20) * 1_000_000,
    savesWhenTold: saves,
    ...(saves && { saveEveryUs: 10 * MINUTE_MS * 1000 }),
    ...(fails && { fails: { exitCode: 1, logTail: 'ValueError: no such layer' } }),
  }
  return {
    ...(isOther && { organisation: OTHER_ORGANISATION }),
    tenant: oneOf(TENANTS),
    user: `user-${random.below(4)}`,
    spec,
    behaviour,
  }
}

/** Whether the whole and sound machine could hold it beside what is kept for others, who could not get it back from it. */
function isFeasible(options: ChaosOptions, job: Omit<SimulatedJob, 'submitMs'>): boolean {
  const { blocks, nodesPerBlock, gpusPerNode, gpuModels, quotas } = options
  const { resources, preemptible } = job.spec
  const isOther = job.organisation === OTHER_ORGANISATION
  const isFirst = job.tenant === TENANTS[0] && !isOther
  if (isOther && quotas.budgetGpuHours > 0) return false
  const gpus = leastGpus(resources, gpusPerNode)
  if (job.tenant === TENANTS[1] && !isOther && isOver(gpus, quotas.limitGpusPerUser)) return false
  if (job.tenant === TENANTS[2] && !isOther && isOver(gpus, quotas.limitGpus)) return false
  const keptGpus = isFirst || (preemptible && quotas.lendable) ? 0 : guaranteedGpus(options)
  const keptBlocks = isFirst ? 0 : quotas.guaranteedBlocks
  const ofModel = resources.gpu?.models?.[0] === 'A100' ? 1 : blocks - (gpuModels - 1)
  const usable = Math.max(0, ofModel - keptBlocks)
  if (gpus > usable * nodesPerBlock * gpusPerNode - keptGpus) return false
  const { shape, within, segment, elastic } = resources
  if (shape.kind !== 'nodes') return true
  const nodes = elastic?.min ?? shape.nodes
  if (segment && keptGpus === 0)
    return nodes / segment.nodes <= usable * Math.floor(nodesPerBlock / segment.nodes)
  return nodes <= (within?.mode === 'required' ? nodesPerBlock : usable * nodesPerBlock) && !segment
}

/** What it needs to start. */
function leastGpus({ shape, elastic }: ResourceRequest, gpusPerNode: number): number {
  if (shape.kind === 'fraction') return 1
  if (shape.kind === 'gpus') return elastic?.min ?? shape.gpus
  return (elastic?.min ?? shape.nodes) * (shape.gpusPerNode ?? gpusPerNode)
}

function isOver(gpus: number, limit: number): boolean {
  return limit > 0 && gpus > limit
}
