import type { AttemptId, TimeMs, WorkloadId } from '../../base/index.ts'
import { present } from '../../base/index.ts'
import type { LoggedEvent } from '../../control/index.ts'
import type { ServeSpec } from '../../model/index.ts'
import {
  type ReplicaLife,
  type RequestOutcomes,
  type Served,
  serveRequests,
} from '../serving/serve-requests.ts'
import type { ServedModel } from '../serving/service.ts'

/** How one served model answered what it was asked. Spans are seconds. */
export interface ServingFigures {
  readonly name: string
  readonly model: string
  readonly replicas: number
  readonly gpusPerReplica: number
  readonly outcomes: RequestOutcomes
  readonly generatedTokens: number
  readonly firstToken: Percentiles
  readonly perToken: Percentiles
  readonly whole: Percentiles
  /** Share of the answered whose first token came within each of `FIRST_TOKEN_SPANS_S`. */
  readonly firstTokenWithin: readonly number[]
  readonly series: {
    readonly startMs: TimeMs
    readonly bucketMs: number
    readonly asked: readonly number[]
    /** Ready, in the mean. */
    readonly replicas: readonly number[]
    readonly firstTokenP50: readonly number[]
    readonly firstTokenP99: readonly number[]
  }
}

export interface Percentiles {
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
}

export const FIRST_TOKEN_SPANS_S: readonly number[] = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 600]

interface Model {
  readonly submittedAt: TimeMs
  readonly spec: ServeSpec
  readonly lives: { readonly attempt: AttemptId; readonly readyAt: TimeMs; endedAt?: TimeMs }[]
}

/** The log in the middle of a run, as plain data. */
export interface ServingLogRecord {
  readonly models: readonly (readonly [WorkloadId, Model])[]
  readonly attempts: readonly (readonly [AttemptId, WorkloadId])[]
}

/** Keeps when each replica of each served model answered. It knows nothing but the events. */
export class ServingLog {
  readonly #models = new Map<WorkloadId, Model>()
  readonly #modelOf = new Map<AttemptId, Model>()

  take({ at, event }: LoggedEvent): void {
    switch (event.kind) {
      case 'workload-submitted':
        if (event.spec.type === 'serve')
          this.#models.set(event.workload, { submittedAt: at, spec: event.spec, lives: [] })
        return
      case 'attempt-planned': {
        const model = this.#models.get(event.workload)
        if (model) this.#modelOf.set(event.attempt, model)
        return
      }
      case 'replica-readiness':
        if (event.ready) this.#modelOf.get(event.attempt)?.lives.push({ attempt: event.attempt, readyAt: at })
        else this.#end(event.attempt, at)
        return
      case 'attempt-stopping':
        this.#end(event.attempt, at)
        return
      case 'attempt-ended':
        this.#end(event.attempt, event.endedAt)
        this.#modelOf.delete(event.attempt)
        return
      default:
        return
    }
  }

  record(): ServingLogRecord {
    const workloadOf = new Map([...this.#models].map(([workload, model]) => [model, workload]))
    return {
      models: [...this.#models].map(([workload, model]) => [
        workload,
        { ...model, lives: model.lives.map((life) => ({ ...life })) },
      ]),
      attempts: [...this.#modelOf].map(([attempt, model]) => [
        attempt,
        present(workloadOf.get(model), `workload of ${attempt}`),
      ]),
    }
  }

  load({ models, attempts }: ServingLogRecord): void {
    for (const [workload, model] of models) this.#models.set(workload, { ...model, lives: [...model.lives] })
    for (const [attempt, workload] of attempts)
      this.#modelOf.set(attempt, present(this.#models.get(workload), `model of ${attempt}`))
  }

  /** What came of the requests by then. */
  figures(servedOf: (workload: WorkloadId) => ServedModel | undefined, until: TimeMs): ServingFigures[] {
    return [...this.#models].flatMap(([workload, model]) => {
      const served = servedOf(workload)
      return served ? [figuresOf(model, served, until)] : []
    })
  }

  #end(attempt: AttemptId, at: TimeMs): void {
    const life = this.#modelOf.get(attempt)?.lives.findLast((each) => each.attempt === attempt)
    if (life) life.endedAt ??= at
  }
}

function figuresOf({ submittedAt, spec, lives }: Model, served: ServedModel, until: TimeMs): ServingFigures {
  const { load } = served
  const seconds = (at: TimeMs) => (at - submittedAt) / 1000
  const lastsS = Math.min(load.lastsS, Math.max(0.001, seconds(until) - load.beginS))
  const spans = lives.map(({ readyAt, endedAt = until }) => ({
    readyAt: seconds(readyAt),
    endedAt: seconds(endedAt),
  }))
  const { outcomes, generatedTokens, firstToken, perToken, whole, parts, partS } = serveRequests(
    { ...served, load: { ...load, lastsS } },
    spans,
  )
  const { shape } = spec.resources
  return {
    name: spec.name,
    model: spec.model,
    replicas: spec.replicas,
    gpusPerReplica: shape.kind === 'gpus' ? shape.gpus : 0,
    outcomes,
    generatedTokens,
    firstToken: percentiles(firstToken),
    perToken: percentiles(perToken),
    whole: percentiles(whole),
    firstTokenWithin: FIRST_TOKEN_SPANS_S.map((span) => firstToken.shareWithin(span)),
    series: {
      startMs: submittedAt + load.beginS * 1000,
      bucketMs: partS * 1000,
      asked: parts.map(({ asked }) => asked / partS),
      replicas: parts.map((_, part) => meanReady(spans, load.beginS + part * partS, partS)),
      firstTokenP50: parts.map((part) => part.firstToken.quantile(0.5)),
      firstTokenP99: parts.map((part) => part.firstToken.quantile(0.99)),
    },
  }
}

function meanReady(lives: readonly ReplicaLife[], from: number, span: number): number {
  const ready = lives.map(({ readyAt, endedAt }) =>
    Math.max(0, Math.min(endedAt, from + span) - Math.max(readyAt, from)),
  )
  return ready.reduce((sum, each) => sum + each, 0) / span
}

function percentiles(spans: Served['firstToken']): Percentiles {
  return {
    mean: spans.mean,
    p50: spans.quantile(0.5),
    p90: spans.quantile(0.9),
    p99: spans.quantile(0.99),
  }
}
