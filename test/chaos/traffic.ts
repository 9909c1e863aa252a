import {
  type ApiProblem,
  type CallInput,
  type Client,
  type ContractOf,
  createClient,
} from '../../src/api/index.ts'
import type { RandomStream } from '../../src/base/index.ts'
import { journalled } from './task-journal.ts'

/** What a submission is made of, and what must become of it unless it is cancelled. */
interface Submission {
  readonly key: string
  readonly input: CallInput<ContractOf<'submitWorkload'>>
  readonly count: number
  readonly ends: Ending
}

interface Ending {
  readonly state: 'succeeded' | 'failed'
  readonly attempts: number
}

/** A workload that the server acknowledged. */
export interface Acknowledged {
  readonly id: string
  readonly key: string
  readonly ends: Ending
  /** The state that the server answered with when it acknowledged a stop. */
  stopped?: string
}

const CLIENTS = 6
/** With more than this not ended, clients stop instead of submitting, so that the machine keeps up. */
const LONGEST_BACKLOG = 60
/** How often a client looks at the list. */
const LOOK_SHARE = 0.1
/** Programs by how often they are sent (a draw from [0, 1) below `upTo`), what they do and what comes of them. */
const PROGRAMS = [
  { upTo: 0.5, work: 'true', retry: 0, ends: { state: 'succeeded', attempts: 1 } },
  { upTo: 0.75, work: 'sleep 0.3', retry: 0, ends: { state: 'succeeded', attempts: 1 } },
  // Long enough to live through a kill and the start after it.
  {
    upTo: 0.9,
    work: 'for i in 1 2 3 4 5 6 7 8; do sleep 1; done',
    retry: 0,
    ends: { state: 'succeeded', attempts: 1 },
  },
  { upTo: 0.95, work: '[ "$BANYAN_ATTEMPT" -ge 2 ]', retry: 3, ends: { state: 'succeeded', attempts: 2 } },
  { upTo: 1, work: 'false', retry: 0, ends: { state: 'failed', attempts: 1 } },
] as const

/**
 * Clients that submit and cancel as fast as they are answered. Each submission has a key of its own and is repeated
 * with it, over as many lives of the server as it takes, until it is acknowledged.
 */
export class Traffic {
  readonly acknowledged = new Map<string, Acknowledged>()
  readonly faults: string[] = []
  readonly counts = { submissions: 0, repeated: 0, replayed: 0, stops: 0 }
  readonly #random: RandomStream
  readonly #journal: string
  readonly #folder: string
  #unanswered: Submission[] = []
  #made = 0
  #backlog = 0

  constructor(random: RandomStream, journal: string, folder: string) {
    this.#random = random
    this.#journal = journal
    this.#folder = folder
  }

  /** Sends until the signal aborts; resolves when nothing is under way any more. */
  async run(baseUrl: string, token: string, signal: AbortSignal): Promise<void> {
    const client = createClient({ baseUrl, token, retryPausesMs: [] })
    await Promise.all(Array.from({ length: CLIENTS }, () => this.#sendUntil(client, signal)))
  }

  /** Repeats what was never answered, once the server stays up. */
  async settle(client: Client): Promise<void> {
    for (const submission of this.#unanswered.splice(0)) await this.#submit(client, submission)
  }

  get unanswered(): number {
    return this.#unanswered.length
  }

  async #sendUntil(client: Client, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const draw = this.#random.next()
      const repeated = this.#unanswered.pop()
      if (draw < LOOK_SHARE) await this.#look(client)
      if (repeated) {
        this.counts.repeated++
        await this.#submit(client, repeated)
      } else if (this.#backlog > LONGEST_BACKLOG || draw > 0.7) {
        await this.#stopSome(client)
      } else if (draw > 0.65) {
        const twice = this.#newSubmission()
        await Promise.all([this.#submit(client, twice), this.#submit(client, twice)])
      } else {
        await this.#submit(client, this.#newSubmission())
      }
    }
  }

  async #look(client: Client): Promise<void> {
    try {
      const { items } = await client.listWorkloads({ state: ['queued', 'starting', 'running', 'stopping'] })
      this.#backlog = items.length
    } catch (error) {
      this.#judge(error, 'list')
    }
  }

  #newSubmission(): Submission {
    const draw = this.#random.next()
    const program = PROGRAMS.find(({ upTo }) => draw < upTo) ?? PROGRAMS[0]
    const gpus = 1 + this.#random.below(3)
    const count = this.#random.next() < 0.1 ? 3 : 1
    const key = `key-${++this.#made}`
    const spec = {
      type: 'train',
      name: `chaos-${this.#made}`,
      gpus,
      run: journalled(this.#journal, program.work),
      retry: { user: program.retry },
      ...(count > 1 ? { array: `0-${count - 1}` } : {}),
    }
    return { key, count, ends: program.ends, input: { spec, folder: this.#folder } }
  }

  async #submit(client: Client, submission: Submission): Promise<void> {
    const { key, count, ends, input } = submission
    try {
      const { workloads, replayed } = await client.submitWorkload(input, { idempotencyKey: key })
      if (replayed) this.counts.replayed++
      else this.counts.submissions++
      if (workloads.length !== count)
        this.faults.push(`${key} made ${workloads.length} workloads, not ${count}`)
      for (const { id } of workloads) {
        const before = this.acknowledged.get(id)
        if (before && before.key !== key) this.faults.push(`${id} was given to ${before.key} and to ${key}`)
        if (!before) this.acknowledged.set(id, { id, key, ends })
      }
    } catch (error) {
      this.#judge(error, `submission ${key}`)
      if (!this.#unanswered.includes(submission)) this.#unanswered.push(submission)
    }
  }

  async #stopSome(client: Client): Promise<void> {
    const recent = [...this.acknowledged.values()].slice(-40)
    const chosen = recent[this.#random.below(Math.max(recent.length, 1))]
    if (!chosen) return
    try {
      const { state } = await client.stopWorkload({ id: chosen.id, kill: this.#random.next() < 0.3 })
      chosen.stopped = state
      this.counts.stops++
    } catch (error) {
      this.#judge(error, `stop of ${chosen.id}`)
      // It may have been taken before the server died.
      if ((error as ApiProblem).status === 0) chosen.stopped ??= 'unknown'
    }
  }

  /** A server that is killed does not answer; one that lives refuses nothing here but stops that come too late. */
  #judge(error: unknown, what: string): void {
    const { code, message } = error as ApiProblem
    if (code === 'unreachable' || code === 'wrong-state') return
    this.faults.push(`${what}: ${code} ${message}`)
  }
}
