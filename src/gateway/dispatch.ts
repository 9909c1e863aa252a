import { Agent, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { Endpoint, GatewayLimits, Replica, TokenUsage } from './contract.ts'
import { headersForReplica } from './headers.ts'
import { noReadyReplica, type Refusal, replicaFailed, replicaTimedOut, tooManyRequests } from './refusal.ts'
import { type RelayOutcome, relay } from './relay.ts'
import { ReplicaChoice } from './replica-choice.ts'

/** A request that breaks its replica must not go on to break them all. */
const MOST_TRIES = 3
/** What web servers log for a caller that went away before it was told anything. */
const CALLER_WENT_AWAY = 499

export interface Dispatch {
  readonly model: string
  readonly endpoint: Endpoint
  /** With the query, if there is one. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly requestId: string
  readonly response: ServerResponse
}

export interface Dispatched {
  readonly replica?: string
  readonly status: number
  readonly complete: boolean
  readonly streamed: boolean
  readonly tries: number
  readonly firstByteAt?: number
  readonly usage?: TokenUsage
  /** What the caller is yet to be told, when nothing came from a replica. */
  readonly refusal?: Refusal
}

/** Sends requests to replicas: each to the one that has fewest, and to another when that one says nothing. */
export class Dispatcher {
  readonly #limits: GatewayLimits
  readonly #agent: Agent
  readonly #choice = new ReplicaChoice()

  constructor(limits: GatewayLimits) {
    this.#limits = limits
    this.#agent = new Agent({ keepAlive: true, maxFreeSockets: limits.outstandingPerReplica })
  }

  get outstanding(): ReadonlyMap<string, number> {
    return this.#choice.outstanding
  }

  close(): void {
    this.#agent.destroy()
  }

  async dispatch(order: Dispatch): Promise<Dispatched> {
    const { model, endpoint } = order
    const most = this.#limits.outstandingPerReplica
    const tried = new Set<string>()
    let last: { readonly replica: Replica; readonly cause: string } | undefined
    let reconnect: Replica | undefined
    for (let tries = 0; ; tries++) {
      const now = performance.now()
      const replica = reconnect ?? this.#choice.choose(endpoint.replicas, { most, tried, now })
      if (!replica || tries === MOST_TRIES) {
        const refusal = last ? replicaFailed(model, tries, last.cause) : this.#unavailable(order)
        return { ...told(refusal, tries), ...(last ? { replica: last.replica.id } : {}) }
      }
      const outcome = await this.#ask(order, replica, reconnect === undefined)
      if (outcome.kind !== 'unanswered')
        return { ...this.#conclude(order, outcome, tries + 1), replica: replica.id }
      last = { replica, cause: outcome.cause }
      reconnect = outcome.stale ? replica : undefined
      if (outcome.stale) continue
      tried.add(replica.id)
      this.#choice.avoid(replica, performance.now())
    }
  }

  async #ask(order: Dispatch, replica: Replica, canReuse: boolean): Promise<RelayOutcome> {
    const { target, body, response, requestId } = order
    this.#choice.begin(replica)
    try {
      return await relay({
        agent: canReuse ? this.#agent : undefined,
        replica,
        path: target,
        headers: { ...headersForReplica(order.headers, body.length), 'x-request-id': requestId },
        body,
        response,
        limits: this.#limits,
      })
    } finally {
      this.#choice.end(replica)
    }
  }

  #conclude(
    { model }: Dispatch,
    outcome: Exclude<RelayOutcome, { kind: 'unanswered' }>,
    tries: number,
  ): Dispatched {
    switch (outcome.kind) {
      case 'answered': {
        const { kind: _, ...answer } = outcome
        return { ...answer, tries }
      }
      case 'broken':
        return told(replicaFailed(model, tries, outcome.cause), tries)
      case 'timed-out':
        return told(replicaTimedOut(model, this.#limits.silenceMs), tries)
      case 'caller-gone':
        return { status: CALLER_WENT_AWAY, complete: false, streamed: false, tries }
    }
  }

  #unavailable({ model, endpoint }: Dispatch): Refusal {
    if (endpoint.replicas.length === 0) return noReadyReplica(model, endpoint.state)
    const most = this.#limits.outstandingPerReplica
    return tooManyRequests(
      `all ${endpoint.replicas.length} replicas of "${model}" have ${most} requests each`,
      1,
    )
  }
}

function told(refusal: Refusal, tries: number): Dispatched {
  return { status: refusal.status, complete: true, streamed: false, tries, refusal }
}
