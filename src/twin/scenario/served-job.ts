import { ok, type Result, refuse } from '../../base/index.ts'
import { DEFAULT_RETRY } from '../../model/index.ts'
import {
  estimateServing,
  type Machine,
  modelByName,
  servingMachine,
  servingReplica,
} from '../../planner/index.ts'
import type { Streams } from '../kernel/streams.ts'
import type { RequestLoad, Service } from '../serving/service.ts'
import { type InferenceRequest, readRequestCsv } from '../traces/request-csv.ts'
import { SIMULATED_PROGRAM, type SimulatedJob } from '../world/simulated-job.ts'
import type { Scenario, ServeSource } from './scenario.ts'
import { startCosts } from './start-costs.ts'

interface Replicas {
  readonly gpus: number
  readonly replicas: number
  readonly service: Service
}

/** The workload that serves the model and what it is asked, or what is wrong with the file, the model or the hardware. */
export function servedJob(
  source: ServeSource,
  scenario: Scenario,
  texts: ReadonlyMap<string, string>,
  machine: () => Result<Machine, string>,
  streams: Streams,
): Result<SimulatedJob, string> {
  const { requests: asked, tenant, model } = source
  const text = texts.get(asked.file)
  if (text === undefined) return refuse(`${asked.file}: not read`)
  const requests = readRequestCsv(text)
  if (!requests.ok) return refuse(`${asked.file}: ${requests.error}`)
  if (requests.value.length === 0) return refuse(`${asked.file} has no requests`)
  const load = loadOf(source, requests.value, streams)
  const replicas = replicasOf(source, load, machine)
  if (!replicas.ok) return replicas
  const { service, gpus, replicas: count } = replicas.value
  return ok({
    submitMs: 0,
    tenant,
    user: tenant,
    spec: {
      type: 'serve',
      name: source.name,
      model,
      replicas: count,
      priority: source.priority,
      resources: { shape: { kind: 'gpus', gpus } },
      program: SIMULATED_PROGRAM,
      retry: { ...DEFAULT_RETRY, user: 1_000_000, platform: 1_000_000 },
      preemptible: source.preemptible,
      readiness: { path: '/health', timeoutMs: 2_000, everyMs: 10_000 },
    },
    behaviour: { startUs: startCosts(scenario, streams)() * 1000, saveUs: 0, savesWhenTold: false },
    served: { service, load, outstandingPerReplica: source.outstandingPerReplica },
  })
}

/** Copies of the trace, each begun at another of its moments, one upon the other. */
function loadOf(
  { requests: { times, afterMs, lastsMs } }: ServeSource,
  requests: readonly InferenceRequest[],
  streams: Streams,
): RequestLoad {
  const lastMs = requests.at(-1)!.arrivalMs
  const roundMs = Math.max(1, lastMs + lastMs / Math.max(1, requests.length - 1))
  const random = streams.named('requests')
  const all = Array.from({ length: times }, (_, copy) => {
    const shiftMs = copy === 0 ? 0 : random.next() * roundMs
    return requests.map((request) => ({ ...request, arrivalMs: (request.arrivalMs + shiftMs) % roundMs }))
  })
    .flat()
    .sort((a, b) => a.arrivalMs - b.arrivalMs)
  return {
    arrivalS: Float64Array.from(all, ({ arrivalMs }) => arrivalMs / 1000),
    contextTokens: Uint32Array.from(all, ({ contextTokens }) => contextTokens),
    generatedTokens: Uint32Array.from(all, ({ generatedTokens }) => generatedTokens),
    roundS: roundMs / 1000,
    beginS: afterMs / 1000,
    lastsS: (lastsMs ?? roundMs) / 1000,
  }
}

/** Replicas as they were measured, or as the planner would have them for the mean of what is asked. */
function replicasOf(
  source: ServeSource,
  load: RequestLoad,
  machine: () => Result<Machine, string>,
): Result<Replicas, string> {
  const { measured, concurrent } = source
  if (measured) {
    const service = {
      prefillSecondsPerToken: 1 / measured.prefillTokensPerSecond,
      tokenSeconds: Array.from({ length: concurrent }, () => measured.tokenMs / 1000),
    }
    return ok({ service, gpus: source.gpus!, replicas: source.replicas! })
  }
  const shape = modelByName(source.model)
  if (!shape.ok) return shape
  const fleet = machine()
  if (!fleet.ok) return fleet
  const mix = {
    inputTokens: Math.max(1, mean(load.contextTokens)),
    outputTokens: Math.max(1, mean(load.generatedTokens)),
    requestsPerSecond: load.arrivalS.length / load.roundS,
  }
  const input = {
    shape: shape.value,
    machine: servingMachine(fleet.value),
    precision: source.precision,
    mix,
    ...(source.gpus !== undefined ? { gpusPerReplica: source.gpus } : {}),
  }
  const plan = estimateServing(input)
  if (!plan.ok) return plan
  const gpus = plan.value.gpusPerReplica
  const replica = servingReplica(input, gpus)
  const slots = Math.min(concurrent, replica.memoryBatch)
  const service = {
    prefillSecondsPerToken: replica.prefillSeconds / mix.inputTokens,
    tokenSeconds: Array.from({ length: slots }, (_, i) => replica.decode(i + 1).seconds),
  }
  return ok({ service, gpus, replicas: source.replicas ?? plan.value.replicas })
}

function mean(values: Uint32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
