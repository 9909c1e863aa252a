import type { IncomingHttpHeaders } from 'node:http'
import type { DurationMs, TimeMs } from '../base/index.ts'
import type { WorkloadState } from '../model/index.ts'

/** A server that answers OpenAI's API under `url`. */
export interface Replica {
  /** Unique among all models, and stable for as long as it lives. */
  readonly id: string
  /** `http://host:port`, without a path. */
  readonly url: string
}

/** Where a model is served. */
export interface Endpoint {
  /** Unique among all models of all owners. */
  readonly id: string
  /** Only those that are ready to answer. */
  readonly replicas: readonly Replica[]
  /** State of its workload, for the answer when no replica is ready. */
  readonly state: WorkloadState
  readonly createdAt: TimeMs
  readonly ownedBy: string
}

export interface GatewayLimits {
  readonly bodyBytes: number
  /** Requests that one replica has at a time; beyond that on every replica, a request is answered 429. */
  readonly outstandingPerReplica: number
  /** Requests of one caller in any minute, in bursts of at most this many. */
  readonly requestsPerMinute: number
  /** How long to wait for a connection to a replica before another one is tried. */
  readonly connectMs: DurationMs
  /** How long to wait for an answer to begin, and between any two parts of it. */
  readonly silenceMs: DurationMs
}

/** Bodies carry images as base64; ten minutes is what OpenAI's own clients wait. */
export const DEFAULT_LIMITS: GatewayLimits = {
  bodyBytes: 32 * 1024 * 1024,
  outstandingPerReplica: 256,
  requestsPerMinute: 60_000,
  connectMs: 2_000,
  silenceMs: 600_000,
}

/** Who asks. Rates are counted by `id`. */
export interface Caller {
  readonly id: string
}

/** What became of one request to a model. */
export interface FinishedRequest<Asker extends Caller> {
  readonly caller: Asker
  readonly model: string
  /** Id of the endpoint that the model was for this caller. */
  readonly endpoint: string
  /** `/v1/chat/completions` and so on. */
  readonly path: string
  readonly requestId: string
  /** The replica that answered, or the last that was tried. */
  readonly replica?: string
  /** What the caller was told; 499 when it went away before it was told anything. */
  readonly status: number
  /** Whether the answer came to its end. */
  readonly complete: boolean
  /** Whether the answer came as server-sent events, piece by piece. */
  readonly streamed: boolean
  /** Replicas that were asked: more than 1 after one that did not answer. */
  readonly tries: number
  /** From the request's arrival to the first byte of the answer's body, and to its end. */
  readonly firstByteMs?: number
  readonly totalMs: number
  /** As the replica says, which for a stream it does only when the caller asks for it. */
  readonly usage?: TokenUsage
}

export interface TokenUsage {
  readonly promptTokens: number
  readonly completionTokens: number
}

export interface GatewayOptions<Asker extends Caller> {
  /** The models that this caller may use, by name. Called for every request: it must be cheap. */
  endpoints(caller: Asker): ReadonlyMap<string, Endpoint>
  /** Whose token it is, or undefined when it is nobody's. */
  authorise(token: string): Asker | undefined | Promise<Asker | undefined>
  /** The token of a request without `Authorization`, where it has one in another way. */
  otherToken?(headers: IncomingHttpHeaders): string | undefined
  readonly limits?: Partial<GatewayLimits>
  onRequestFinished?(request: FinishedRequest<Asker>): void
  /** Called with what no part of the gateway expected, after which the caller is told 500. */
  onBug?(error: unknown): void
}
