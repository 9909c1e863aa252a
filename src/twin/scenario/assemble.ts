import type { Result } from '../../base/index.ts'
import { id, ok, refuse, type TimeMs } from '../../base/index.ts'
import type { FabricCapacity } from '../../fabric/index.ts'
import { buildFabric, CLUSTER_TEMPLATES, clusterOf, clusterTemplate } from '../../fabric/index.ts'
import type { NodeDescription, Queue, ResourceShape } from '../../model/index.ts'
import { openQueue, queueOfOrganisation, teamId } from '../../model/index.ts'
import { didYouMean } from '../../model/spec/nearest.ts'
import { type Machine, machineByTemplate, machineOfNodes } from '../../planner/index.ts'
import { Streams } from '../kernel/streams.ts'
import { servedUntilMs } from '../serving/service.ts'
import { generateTrace } from '../traces/generate.ts'
import { knownEpoch, readJobCsv } from '../traces/job-csv.ts'
import { clipTrace, type JobTrace } from '../traces/job-trace.ts'
import { readSacct } from '../traces/sacct.ts'
import { type SimulatedJob, simulateTraceJobs } from '../world/simulated-job.ts'
import { tenantNames } from '../world/tenant-names.ts'
import { TWIN_ORGANISATION } from '../world/world.ts'
import type { UserAction, WorldSetup } from '../world/world-setup.ts'
import { declaredJobs } from './declared-jobs.ts'
import { heldMachines } from './held-machines.ts'
import { momentInTrace, momentText } from './moment.ts'
import { plainCluster } from './plain-cluster.ts'
import type { ClusterChoice, Scenario, WorkloadSource } from './scenario.ts'
import { servedJob } from './served-job.ts'
import { startCosts } from './start-costs.ts'

/** More than a process has memory for. */
const MOST_NODES = 200_000
const MOST_GPUS_PER_NODE = 100_000

/** The files that a scenario names, read; and when second 0 of a trace was, where the caller knows better. */
export interface ScenarioFiles {
  readonly texts: ReadonlyMap<string, string>
  readonly epochMs?: TimeMs
}

export interface Assembled {
  readonly setup: WorldSetup
  readonly gpuCount: number
  /** Jobs that were left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>
}

/** The world that a scenario describes, or what is wrong with the files it names. */
export function assemble(scenario: Scenario, files: ScenarioFiles): Result<Assembled, string> {
  const cluster = clusterOfScenario(scenario)
  if (!cluster.ok) return cluster
  const { levels, nodes, fabric } = cluster.value
  const gpuCount = nodes.reduce((sum, node) => sum + node.gpuCount, 0)
  const streams = new Streams(scenario.seed)
  const machine = () => machineOfScenario(scenario.cluster, nodes, levels)
  const parts: SourcePart[] = []
  const skipped: Record<string, number> = {}
  for (const [index, source] of scenario.workloads.entries()) {
    const made = jobsOf(source, scenario, files, machine, gpuCount, streams, `${index}`)
    if (!made.ok) return made
    for (const [reason, count] of Object.entries(made.value.skipped))
      skipped[reason] = (skipped[reason] ?? 0) + count
    const possible = made.value.jobs.filter((job) => {
      const reason = whyImpossible(job.spec.resources.shape, nodes, gpuCount)
      if (reason !== undefined) skipped[reason] = (skipped[reason] ?? 0) + 1
      return reason === undefined
    })
    parts.push({ kind: source.kind, jobs: possible })
  }
  const jobs = fromOneBeginning(parts)
  const setup: WorldSetup = {
    seed: scenario.seed,
    startMs: jobs[0]?.submitMs ?? 0,
    levels,
    nodes,
    policy: scenario.policy,
    queues: queuesOf(scenario, jobs),
    jobs,
    tellSaves: scenario.faults !== undefined,
    ...(fabric ? { fabric: buildFabric(levels, nodes, fabric) } : {}),
    ...(scenario.faults ? { faults: scenario.faults } : {}),
    ...(scenario.controlFaults ? { controlFaults: scenario.controlFaults } : {}),
    ...(scenario.horizonMs !== undefined ? { horizonMs: scenario.horizonMs } : {}),
    actions: endsOfServing(jobs),
  }
  return ok({ setup, gpuCount, skipped })
}

interface SourcePart {
  readonly kind: WorkloadSource['kind']
  readonly jobs: readonly SimulatedJob[]
}

/** All jobs in order of submission. A trace has times of its own; what has none begins when the first trace does. */
function fromOneBeginning(parts: readonly SourcePart[]): SimulatedJob[] {
  const beginnings = parts.flatMap(({ kind, jobs: [first] }) =>
    kind === 'trace' && first ? [first.submitMs] : [],
  )
  const beginMs = beginnings.length === 0 ? 0 : Math.min(...beginnings)
  return parts
    .flatMap(({ kind, jobs }) =>
      kind === 'trace' || beginMs === 0
        ? jobs
        : jobs.map((job) => ({ ...job, submitMs: job.submitMs + beginMs })),
    )
    .sort((a, b) => a.submitMs - b.submitMs)
}

/** Somebody ends each served model once its requests are over. */
function endsOfServing(jobs: readonly SimulatedJob[]): UserAction[] {
  return jobs.flatMap(({ served, submitMs }, job) =>
    served
      ? [{ atMs: submitMs + servedUntilMs(served), what: { kind: 'stop' as const, job, kill: false } }]
      : [],
  )
}

interface Cluster {
  readonly levels: readonly string[]
  readonly nodes: readonly NodeDescription[]
  readonly fabric?: FabricCapacity
}

function clusterOfScenario({ cluster, fabric }: Scenario): Result<Cluster, string> {
  const chosen = fabric ? { fabric } : {}
  const gpus = cluster.kind === 'plain' ? cluster.gpus : 1
  if (cluster.nodes > MOST_NODES || gpus > MOST_GPUS_PER_NODE)
    return refuse(`a cluster has at most ${MOST_NODES} nodes, and a node at most ${MOST_GPUS_PER_NODE} GPUs`)
  if (cluster.kind === 'plain')
    return ok({ ...plainCluster(cluster.nodes, cluster.gpus, cluster.gpuModel), ...chosen })
  const template = clusterTemplate(cluster.template)
  if (!template) {
    const names = CLUSTER_TEMPLATES.map(({ name }) => name)
    return refuse(
      `there is no template "${cluster.template}"${didYouMean(cluster.template, names)}; known are ${names.join(', ')}`,
    )
  }
  const made = clusterOf(template, cluster.nodes)
  return ok({ levels: made.cluster.levels, nodes: made.nodes, fabric: made.fabric, ...chosen })
}

/** The fleet as the planner knows it; refused where it does not know its GPUs. */
function machineOfScenario(
  cluster: ClusterChoice,
  nodes: readonly NodeDescription[],
  levels: readonly string[],
): Result<Machine, string> {
  return cluster.kind === 'template'
    ? machineByTemplate(`${cluster.template}:${cluster.nodes}`)
    : machineOfNodes(nodes, levels)
}

interface Made {
  readonly jobs: readonly SimulatedJob[]
  readonly skipped: Readonly<Record<string, number>>
}

function jobsOf(
  source: WorkloadSource,
  scenario: Scenario,
  files: ScenarioFiles,
  machine: () => Result<Machine, string>,
  gpuCount: number,
  streams: Streams,
  name: string,
): Result<Made, string> {
  if (source.kind === 'jobs') {
    const jobs = declaredJobs(source, scenario, machine, streams)
    return jobs.ok ? ok({ jobs: jobs.value, skipped: {} }) : refuse(`${source.name}: ${jobs.error}`)
  }
  if (source.kind === 'serve') {
    const job = servedJob(source, scenario, files.texts, machine, streams)
    return job.ok ? ok({ jobs: [job.value], skipped: {} }) : refuse(`${source.name}: ${job.error}`)
  }
  if (source.kind === 'machines')
    return ok({ jobs: heldMachines(source, scenario, streams, name), skipped: {} })
  const trace =
    source.kind === 'trace'
      ? readTrace(source, files)
      : ok(generateTrace({ ...source, gpus: gpuCount }, streams.named(`jobs/${name}`)))
  if (!trace.ok) return trace
  const { everyMs, costMs, graceMs } = scenario.checkpoint
  const jobs = simulateTraceJobs(trace.value.jobs, {
    declareRunTime: scenario.declareRunTimes,
    startMs: startCosts(scenario, streams),
    saveMs: costMs,
    graceMs,
    preemptible: true,
    ...(everyMs !== undefined ? { saveEveryMs: everyMs } : {}),
  })
  return ok({ jobs, skipped: trace.value.skipped })
}

function readTrace(
  source: Extract<WorkloadSource, { kind: 'trace' }>,
  files: ScenarioFiles,
): Result<JobTrace, string> {
  const text = files.texts.get(source.file)
  if (text === undefined) return refuse(`${source.file}: not read`)
  const isSacct =
    source.format === 'auto' ? /^[^\n]*\||^\s*jobid(raw)?\s/i.test(text) : source.format === 'sacct'
  const read = isSacct ? readSacct(text) : readJobCsv(text)
  if (!read.ok) return refuse(`${source.file}: ${read.error}`)
  const trace = read.value
  const baseName = source.file.slice(source.file.lastIndexOf('/') + 1)
  const epochMs = files.epochMs ?? trace.epochMs ?? knownEpoch(baseName)
  let from = Number.NEGATIVE_INFINITY
  let to = Number.POSITIVE_INFINITY
  if (source.from) {
    const moment = momentInTrace(source.from, epochMs, false)
    if (!moment.ok) return refuse(`${source.file}: ${moment.error}`)
    from = moment.value
  }
  if (source.to) {
    const moment = momentInTrace(source.to, epochMs, true)
    if (!moment.ok) return refuse(`${source.file}: ${moment.error}`)
    to = moment.value
  }
  const clipped = clipTrace(trace, from, to)
  const [first] = trace.jobs
  if (!first && Object.keys(trace.skipped).length === 0) return refuse(`${source.file} has no jobs`)
  if (clipped.jobs.length > 0 || !first) return ok(clipped)
  return refuse(
    `${source.file}: nothing was submitted in the span that was asked for; its submissions go from ${momentText(first.submitMs, epochMs)} to ${momentText(trace.jobs.at(-1)!.submitMs, epochMs)}`,
  )
}

/** Why no empty fleet of these nodes could ever hold the gang; undefined when one could. */
function whyImpossible(
  shape: ResourceShape,
  nodes: readonly NodeDescription[],
  gpuCount: number,
): string | undefined {
  if (shape.kind === 'gpus' && shape.gpus > gpuCount) return 'more GPUs than the cluster has'
  if (shape.kind !== 'nodes') return undefined
  const fitting = nodes.filter((node) => node.gpuCount >= (shape.gpusPerNode ?? 1)).length
  return shape.nodes > fitting ? 'more nodes than the cluster has with so many GPUs' : undefined
}

/** Tenants with settings of their own; what they are guaranteed is guaranteed to the organisation above them. */
function queuesOf(scenario: Scenario, jobs: readonly SimulatedJob[]): Queue[] {
  if (scenario.queues.length === 0) return []
  const names = tenantNames(jobs.map((job) => job.tenant))
  const root = queueOfOrganisation(TWIN_ORGANISATION)
  const queues = scenario.queues.flatMap(({ tenant, settings }) => {
    const name = names.get(tenant)
    return name === undefined
      ? []
      : [{ ...openQueue(id(teamId(TWIN_ORGANISATION, name)), root), ...settings }]
  })
  const guaranteedGpus = queues.reduce((sum, queue) => sum + queue.guaranteedGpus, 0)
  return [{ ...openQueue(root), guaranteedGpus }, ...queues]
}
