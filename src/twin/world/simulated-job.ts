import type { DurationMs, OrganisationId, TimeMs } from '../../base/index.ts'
import type { ResourceRequest, ResourceShape, TrainSpec, WorkloadSpec } from '../../model/index.ts'
import { DEFAULT_RETRY } from '../../model/index.ts'
import type { Behaviour } from '../fleet/behaviour.ts'
import type { ServedModel } from '../serving/service.ts'
import type { TraceJob } from '../traces/job-trace.ts'

/** One submission of the simulated users: what they ask for, and what their program then does. */
export interface SimulatedJob {
  readonly submitMs: TimeMs
  /** Submitted together with the job before it, by the same user: all of them are taken, or none. */
  readonly joinsBefore?: true
  /** Absent: the twin's own. */
  readonly organisation?: OrganisationId
  readonly tenant: string
  readonly user: string
  readonly spec: WorkloadSpec
  readonly behaviour: Behaviour
  /** Of a model that is served: how its replicas work and what they are asked. It is ended some time after the last request. */
  readonly served?: ServedModel
}

/** What the tasks of a simulated attempt would run. */
export const SIMULATED_PROGRAM = { run: ['simulated'], env: {}, workdir: '/', tasksPer: 'node' } as const

/** How a job of a trace is submitted and behaves. */
export interface TraceJobOptions {
  /** Whether its user declares the exact run time; else the scheduler has to do without or to predict. */
  readonly declareRunTime: boolean
  readonly startMs: (job: TraceJob) => DurationMs
  readonly saveEveryMs?: DurationMs
  readonly saveMs: DurationMs
  readonly graceMs: DurationMs
  readonly preemptible: boolean
}

/**
 * The jobs of a trace as workloads that compute for their run time, save when told to end, and then go on from there.
 * What is the same for many jobs stands in memory once: a month of a large machine has hundreds of thousands.
 */
export function simulateTraceJobs(jobs: readonly TraceJob[], options: TraceJobOptions): SimulatedJob[] {
  const { saveEveryMs } = options
  const checkpoint = { path: 'checkpoints', graceMs: options.graceMs }
  const dependsOn: readonly string[] = []
  const resourcesOf = new Map<string, ResourceRequest>()
  return jobs.map((job) => {
    const size = `${job.gpus}/${job.nodes}`
    const resources = resourcesOf.get(size) ?? { shape: shapeOf(job) }
    resourcesOf.set(size, resources)
    const spec: TrainSpec = {
      type: 'train',
      name: job.id,
      priority: 'normal',
      resources,
      program: SIMULATED_PROGRAM,
      retry: DEFAULT_RETRY,
      preemptible: options.preemptible,
      dependsOn,
      checkpoint,
      ...(options.declareRunTime && { expectedMs: job.durationMs }),
    }
    return {
      submitMs: job.submitMs,
      tenant: job.tenant,
      user: job.user ?? job.tenant,
      spec,
      behaviour: {
        workUs: job.durationMs * 1000,
        startUs: options.startMs(job) * 1000,
        saveUs: options.saveMs * 1000,
        savesWhenTold: true,
        ...(saveEveryMs !== undefined && { saveEveryUs: saveEveryMs * 1000 }),
      },
    }
  })
}

function shapeOf(job: TraceJob): ResourceShape {
  if (job.gpus < 1) return { kind: 'fraction', milliGpus: Math.round(job.gpus * 1000) }
  if (job.nodes !== undefined) return { kind: 'nodes', nodes: job.nodes, gpusPerNode: job.gpus / job.nodes }
  return { kind: 'gpus', gpus: job.gpus }
}
