import FlatQueue from 'flatqueue'
import { present } from '../../base/index.ts'
import type { Service } from './service.ts'

/** One request on its way. Times are seconds. */
export interface Request {
  readonly arrivedAt: number
  readonly contextTokens: number
  readonly generatedTokens: number
  /** Replicas that it was sent to. */
  tries: number
  firstTokenAt?: number
}

export interface RequestEnds {
  readonly answered: (request: Request, at: number) => void
  /** Nobody began to answer in time. */
  readonly timedOut: (request: Request) => void
}

/** As the gateway's `silenceMs`. */
const PATIENCE_S = 600

/**
 * The requests at one replica: it reads one at a time, in order, while it has room, and writes to all it has read at
 * once otherwise. The more it writes to, the slower each goes.
 */
export class ReplicaQueue {
  readonly #service: Service
  readonly #ends: RequestEnds
  #now: number
  /** Those that wait to be read, from `#head` on. */
  #waiting: Request[] = []
  #head = 0
  #reading: Request | undefined
  #readAt = 0
  /** Those it writes to, by the count of written tokens at which each has all. */
  readonly #writing = new FlatQueue<Request>()
  #written = 0
  #nextAt = Number.POSITIVE_INFINITY

  constructor(service: Service, readyAt: number, ends: RequestEnds) {
    this.#service = service
    this.#now = readyAt
    this.#ends = ends
  }

  get outstanding(): number {
    return this.#waiting.length - this.#head + (this.#reading ? 1 : 0) + this.#writing.length
  }

  /** Everything up to then has happened. */
  advance(to: number): void {
    while (this.#nextAt <= to) this.#happen()
    this.#passTo(to)
  }

  /** Takes a request that came at `at`, up to which it has advanced. */
  take(request: Request, at: number): void {
    this.advance(at)
    this.#waiting.push(request)
    this.#goOn()
  }

  /** It is gone: what it had not begun to answer, in order, and what it broke off. */
  end(at: number): { readonly unanswered: readonly Request[]; readonly brokenOff: readonly Request[] } {
    this.advance(at)
    const unanswered = [...(this.#reading ? [this.#reading] : []), ...this.#waiting.slice(this.#head)]
    const brokenOff: Request[] = []
    for (let next = this.#writing.pop(); next; next = this.#writing.pop()) brokenOff.push(next)
    return { unanswered, brokenOff }
  }

  #happen(): void {
    const at = this.#nextAt
    this.#passTo(at)
    if (this.#reading) {
      const request = this.#reading
      this.#reading = undefined
      request.firstTokenAt = at
      // Reading ends with the first token.
      if (request.generatedTokens <= 1) this.#ends.answered(request, at)
      else this.#writing.push(request, this.#written + request.generatedTokens - 1)
    } else {
      this.#written = present(this.#writing.peekValue(), 'tokens of the next to end')
      this.#ends.answered(present(this.#writing.pop(), 'the next to end'), at)
    }
    this.#goOn()
  }

  #passTo(at: number): void {
    if (!this.#reading && this.#writing.length > 0) this.#written += (at - this.#now) / this.#tokenSeconds
    this.#now = at
  }

  get #tokenSeconds(): number {
    return this.#service.tokenSeconds[this.#writing.length - 1]!
  }

  /** Chooses what is done next, and when that will be over. */
  #goOn(): void {
    if (!this.#reading && this.#writing.length < this.#service.tokenSeconds.length) this.#readNext()
    if (this.#reading) this.#nextAt = this.#readAt
    else if (this.#writing.length === 0) this.#nextAt = Number.POSITIVE_INFINITY
    else {
      const left = this.#writing.peekValue()! - this.#written
      this.#nextAt = this.#now + Math.max(0, left) * this.#tokenSeconds
    }
  }

  #readNext(): void {
    for (let next = this.#nextWaiting(); next; next = this.#nextWaiting()) {
      if (this.#now - next.arrivedAt > PATIENCE_S) {
        this.#ends.timedOut(next)
        continue
      }
      this.#reading = next
      this.#readAt = this.#now + next.contextTokens * this.#service.prefillSecondsPerToken
      return
    }
  }

  #nextWaiting(): Request | undefined {
    const next = this.#waiting[this.#head]
    if (!next) return undefined
    this.#head++
    if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    return next
  }
}
