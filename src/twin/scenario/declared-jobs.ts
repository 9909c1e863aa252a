import { ok, type Result } from '../../base/index.ts'
import type { ResourceShape, RunDeclaration } from '../../model/index.ts'
import { DEFAULT_RETRY } from '../../model/index.ts'
import type { Machine } from '../../planner/index.ts'
import type { Behaviour } from '../fleet/behaviour.ts'
import type { Streams } from '../kernel/streams.ts'
import { SIMULATED_PROGRAM, type SimulatedJob } from '../world/simulated-job.ts'
import { plannedWork } from './planned-work.ts'
import type { CheckpointChoice, Scenario, WorkloadSource } from './scenario.ts'
import { startCosts } from './start-costs.ts'

type JobsSource = Extract<WorkloadSource, { kind: 'jobs' }>

/** The jobs that a scenario writes out, or why the planner cannot tell how long they take. */
export function declaredJobs(
  source: JobsSource,
  scenario: Scenario,
  machine: () => Result<Machine, string>,
  streams: Streams,
): Result<SimulatedJob[], string> {
  const shape: ResourceShape =
    'nodes' in source.size
      ? { kind: 'nodes', nodes: source.size.nodes }
      : { kind: 'gpus', gpus: source.size.gpus }
  const work = workOf(source, shape, machine)
  if (!work.ok) return work
  const { plan, workUs, training, traffic } = work.value
  const { everyMs, costMs, graceMs } = source.checkpoint ?? work.value.checkpoint ?? scenario.checkpoint
  const startMs = startCosts(scenario, streams)
  const jobs = Array.from({ length: source.count }, (_, i) => ({
    submitMs: i * source.everyMs,
    tenant: source.tenant,
    user: source.tenant,
    spec: {
      type: 'train' as const,
      name: source.count === 1 ? source.name : `${source.name}-${i}`,
      priority: source.priority,
      resources: { shape, ...(source.elastic ? { elastic: source.elastic } : {}) },
      program: SIMULATED_PROGRAM,
      retry: { ...DEFAULT_RETRY, user: source.retryUser, platform: 1_000_000 },
      preemptible: source.preemptible,
      dependsOn: [],
      checkpoint: { path: 'checkpoints', graceMs, ...(everyMs !== undefined ? { everyMs } : {}) },
      ...(plan ? { plan } : {}),
      ...(scenario.declareRunTimes ? { expectedMs: Math.ceil(workUs / 1000) } : {}),
    },
    behaviour: {
      workUs,
      startUs: startMs() * 1000,
      saveUs: costMs * 1000,
      savesWhenTold: true,
      ...(everyMs !== undefined ? { saveEveryUs: everyMs * 1000 } : {}),
      ...(training ? { training } : {}),
      ...(traffic ? { traffic } : {}),
    },
  }))
  return ok(jobs)
}

interface Work extends Pick<Behaviour, 'training' | 'traffic'> {
  readonly workUs: number
  readonly plan?: RunDeclaration
  readonly checkpoint?: CheckpointChoice
}

function workOf(
  { work, traffic }: JobsSource,
  shape: ResourceShape,
  machine: () => Result<Machine, string>,
): Result<Work, string> {
  if ('runMs' in work) return ok({ workUs: work.runMs * 1000, ...(traffic ? { traffic } : {}) })
  const planned = plannedWork(work.plan, shape, machine())
  return planned.ok ? ok({ ...planned.value, plan: work.plan, ...(traffic ? { traffic } : {}) }) : planned
}
