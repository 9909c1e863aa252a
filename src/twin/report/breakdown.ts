import type { JobRecord } from './job-log.ts'
import { ascending, mean, quantile } from './summary.ts'

/** How the jobs of one group fared. Slow-down is completion over the time it held GPUs, from 1. */
export interface GroupFigures {
  readonly group: string
  readonly jobs: number
  readonly gpuHours: number
  readonly meanQueueS: number
  readonly p90QueueS: number
  readonly meanSlowdown: number
  readonly p90Slowdown: number
}

/** Jobs shorter than this count as this long in slow-downs, so that a wait for nothing does not rule the mean (Feitelson's bounded slow-down). */
const BOUND_MS = 10_000

export function bySize(jobs: readonly JobRecord[]): GroupFigures[] {
  const sizes = groups(jobs, ({ gpus }) => sizeClass(gpus))
  return [...sizes].sort(([a], [b]) => a - b).map(([size, group]) => figures(sizeName(size), group))
}

export function byTenant(jobs: readonly JobRecord[]): GroupFigures[] {
  return [...groups(jobs, ({ tenant }) => tenant)]
    .map(([tenant, group]) => figures(tenant.slice(tenant.indexOf('/') + 1), group))
    .sort((a, b) => b.gpuHours - a.gpuHours || (a.group < b.group ? -1 : 1))
}

/** Jain's index over the tenants' mean slow-downs: 1 when all wait alike, 1/n when one bears all (Jain, Chiu, Hawe 1984). */
export function fairness(tenants: readonly GroupFigures[]): number {
  const values = tenants.map(({ meanSlowdown }) => meanSlowdown)
  const squares = values.reduce((sum, value) => sum + value ** 2, 0)
  return squares === 0 ? 1 : values.reduce((sum, value) => sum + value, 0) ** 2 / (values.length * squares)
}

/** The share of jobs that waited at most so long, at each of these spans. */
export function waitDistribution(jobs: readonly JobRecord[], spansMs: readonly number[]): number[] {
  const waits = jobs.map(({ queuedMs }) => queuedMs)
  return spansMs.map((span) => waits.filter((wait) => wait <= span).length / Math.max(1, waits.length))
}

/** The share of jobs whose slow-down was at most each of these. */
export function slowdownDistribution(jobs: readonly JobRecord[], limits: readonly number[]): number[] {
  const slowdowns = jobs.map(slowdown)
  // What a start costs in whole milliseconds is no slow-down.
  return limits.map(
    (limit) => slowdowns.filter((each) => each <= limit * 1.0005).length / Math.max(1, jobs.length),
  )
}

function slowdown(job: JobRecord): number {
  const ran = Math.max(job.heldMs, BOUND_MS)
  return Math.max(1, (job.queuedMs + job.heldMs) / ran)
}

function figures(group: string, jobs: readonly JobRecord[]): GroupFigures {
  const queues = ascending(jobs.map(({ queuedMs }) => queuedMs / 1000))
  const slowdowns = ascending(jobs.map(slowdown))
  return {
    group,
    jobs: jobs.length,
    gpuHours: jobs.reduce((sum, job) => sum + job.gpus * job.heldMs, 0) / 3_600_000,
    meanQueueS: mean(queues),
    p90QueueS: quantile(queues, 0.9),
    meanSlowdown: mean(slowdowns),
    p90Slowdown: quantile(slowdowns, 0.9),
  }
}

/** 0 for shares of a GPU, then powers of two, each with what is above the one before. */
function sizeClass(gpus: number): number {
  return gpus < 1 ? 0 : 2 ** Math.ceil(Math.log2(gpus))
}

function sizeName(size: number): string {
  return size === 0 ? 'below 1' : `${size}`
}

function groups<Key>(jobs: readonly JobRecord[], keyOf: (job: JobRecord) => Key): Map<Key, JobRecord[]> {
  const found = new Map<Key, JobRecord[]>()
  for (const job of jobs) {
    const key = keyOf(job)
    const group = found.get(key)
    if (group) group.push(job)
    else found.set(key, [job])
  }
  return found
}
