import { Histogram } from './histogram.ts'
import { ReplicaQueue, type Request } from './replica-queue.ts'
import type { ServedModel } from './service.ts'

/** While a replica answered, in seconds after the submission of its workload. */
export interface ReplicaLife {
  readonly readyAt: number
  readonly endedAt: number
}

/** What became of all requests to one model. */
export interface RequestOutcomes {
  asked: number
  answered: number
  /** No replica was ready (503). */
  unready: number
  /** Every replica had as many as it may have (429). */
  busy: number
  /** Their replica ended while it answered. */
  brokenOff: number
  /** Their replica ended before it answered, and so did others that they were sent to (502). */
  failed: number
  /** No answer began within ten minutes (504). */
  timedOut: number
}

export interface Served {
  readonly outcomes: RequestOutcomes
  readonly generatedTokens: number
  /** From the arrival to the first token. */
  readonly firstToken: Histogram
  /** Between two tokens of one answer, the mean of each answer. */
  readonly perToken: Histogram
  /** From the arrival to the last token. */
  readonly whole: Histogram
  /** Over time, by arrival. */
  readonly parts: readonly ServedPart[]
  readonly partS: number
}

export interface ServedPart {
  asked: number
  readonly firstToken: Histogram
}

const PARTS = 60
/** As the gateway. */
const MOST_TRIES = 3

interface Standing {
  readonly queue: ReplicaQueue
  readonly endedAt: number
}

/**
 * Plays a model's requests against the replicas that it had, by the gateway's rules: each goes to the ready replica with
 * the fewest outstanding, equals take turns; with none ready or all full it is refused; what a lost replica had not
 * begun to answer is sent to another, at most three times in all.
 */
export function serveRequests(model: ServedModel, lives: readonly ReplicaLife[]): Served {
  const player = new Player(model)
  const { load } = model
  const coming = [...lives].sort((a, b) => a.readyAt - b.readyAt || a.endedAt - b.endedAt)
  let next = 0
  const count = load.arrivalS.length
  for (let i = 0; count > 0; i++) {
    const inRound = i % count
    const at = Math.floor(i / count) * load.roundS + load.arrivalS[inRound]!
    if (at >= load.lastsS) break
    const arrivedAt = load.beginS + at
    while (next < coming.length && coming[next]!.readyAt <= arrivedAt) player.ready(coming[next++]!)
    player.ask(
      {
        arrivedAt,
        contextTokens: load.contextTokens[inRound]!,
        generatedTokens: load.generatedTokens[inRound]!,
        tries: 0,
      },
      arrivedAt,
    )
  }
  for (const life of coming.slice(next)) player.ready(life)
  player.finish()
  return player.served
}

class Player {
  readonly served: Served & { generatedTokens: number }
  readonly #model: ServedModel
  #standing: Standing[] = []
  #firstEnd = Number.POSITIVE_INFINITY
  #turn = 0

  constructor(model: ServedModel) {
    this.#model = model
    this.served = {
      outcomes: { asked: 0, answered: 0, unready: 0, busy: 0, brokenOff: 0, failed: 0, timedOut: 0 },
      generatedTokens: 0,
      firstToken: new Histogram(),
      perToken: new Histogram(),
      whole: new Histogram(),
      parts: Array.from({ length: PARTS }, () => ({ asked: 0, firstToken: new Histogram() })),
      partS: model.load.lastsS / PARTS,
    }
  }

  ready({ readyAt, endedAt }: ReplicaLife): void {
    this.#endUntil(readyAt)
    const queue = new ReplicaQueue(this.#model.service, readyAt, {
      answered: (request, at) => this.#answered(request, at),
      timedOut: () => {
        this.served.outcomes.timedOut++
      },
    })
    this.#standing.push({ queue, endedAt })
    this.#firstEnd = Math.min(this.#firstEnd, endedAt)
  }

  ask(request: Request, at: number): void {
    this.#endUntil(at)
    this.served.outcomes.asked++
    this.#part(request).asked++
    this.#send(request, at)
  }

  /** No more requests come; what is outstanding goes on until its replica ends. */
  finish(): void {
    this.#endUntil(Number.POSITIVE_INFINITY)
  }

  #send(request: Request, at: number): void {
    const { outcomes } = this.served
    const standing = this.#standing
    if (standing.length === 0) {
      outcomes[request.tries === 0 ? 'unready' : 'failed']++
      return
    }
    this.#turn++
    let best: Standing | undefined
    let fewest = this.#model.outstandingPerReplica
    for (let i = 0; i < standing.length; i++) {
      const replica = standing[(this.#turn + i) % standing.length]!
      replica.queue.advance(at)
      const { outstanding } = replica.queue
      if (outstanding >= fewest) continue
      best = replica
      fewest = outstanding
    }
    if (!best) {
      outcomes[request.tries === 0 ? 'busy' : 'failed']++
      return
    }
    request.tries++
    best.queue.take(request, at)
  }

  /** Replicas that end by then do so in order, and leave their requests to the others. */
  #endUntil(until: number): void {
    while (this.#firstEnd <= until && this.#standing.length > 0) {
      const at = this.#firstEnd
      const gone = this.#standing.filter(({ endedAt }) => endedAt <= at)
      this.#standing = this.#standing.filter(({ endedAt }) => endedAt > at)
      this.#firstEnd = this.#standing.reduce(
        (first, { endedAt }) => Math.min(first, endedAt),
        Number.POSITIVE_INFINITY,
      )
      for (const { queue } of gone) {
        const { unanswered, brokenOff } = queue.end(at)
        this.served.outcomes.brokenOff += brokenOff.length
        for (const request of unanswered) {
          if (request.tries < MOST_TRIES) this.#send(request, at)
          else this.served.outcomes.failed++
        }
      }
    }
  }

  #answered(request: Request, at: number): void {
    const { served } = this
    const { arrivedAt, firstTokenAt = at, generatedTokens } = request
    served.outcomes.answered++
    served.generatedTokens += generatedTokens
    served.firstToken.add(firstTokenAt - arrivedAt)
    this.#part(request).firstToken.add(firstTokenAt - arrivedAt)
    if (generatedTokens > 1) served.perToken.add((at - firstTokenAt) / (generatedTokens - 1))
    served.whole.add(at - arrivedAt)
  }

  #part({ arrivedAt }: Request): ServedPart {
    const { beginS } = this.#model.load
    return this.served.parts[Math.min(PARTS - 1, Math.floor((arrivedAt - beginS) / this.served.partS))]!
  }
}
