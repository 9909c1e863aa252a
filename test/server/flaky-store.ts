import { EventEmitter, once } from 'node:events'
import type { Batch, Store } from '../../src/control/index.ts'
import type { World } from '../../src/server/server.ts'

/**
 * A real store whose appends can be held up, refused, or cut off between the commit and its answer; everything else is
 * the store's own.
 */
export class FlakyStore {
  readonly batches: Batch[] = []
  #next: 'take' | 'refuse' | 'lose-answer' = 'take'
  #cannotLoad = 0
  #held: Promise<void> = Promise.resolve()
  #lookups = 0
  readonly #emitter = new EventEmitter<{ lookup: [] }>()

  readonly wrap = (world: World): World => ({ ...world, store: this.#wrapped(world.store) })

  /** Nothing of the next batch is written. */
  refuseNext(): void {
    this.#next = 'refuse'
  }

  /** The next batch is written, and then the connection seems to break. */
  loseNextAnswer(): void {
    this.#next = 'lose-answer'
  }

  /** The next loads fail, as those of a database that is away. */
  failLoads(count: number): void {
    this.#cannotLoad = count
  }

  /** Holds up appends until the result is called. */
  hold(): () => void {
    let release = () => {}
    this.#held = new Promise((resolve) => {
      release = resolve
    })
    return release
  }

  /** Resolves when the store has answered so many questions for a submission key in all. */
  async lookups(count: number): Promise<void> {
    while (this.#lookups < count) await once(this.#emitter, 'lookup')
  }

  #wrapped(store: Store): Store {
    return {
      load: () => (this.#cannotLoad-- > 0 ? Promise.reject(new Error('the database is away')) : store.load()),
      append: async (batch) => {
        await this.#held
        const [fate] = [this.#next]
        this.#next = 'take'
        if (fate === 'refuse') throw new Error('the database refused it')
        await store.append(batch)
        this.batches.push(batch)
        if (fate === 'lose-answer') throw new Error('the connection broke')
      },
      events: (query) => store.events(query),
      workloads: (query) => store.workloads(query),
      workload: (id) => store.workload(id),
      attempts: (id) => store.attempts(id),
      usage: (query) => store.usage(query),
      topUsage: (query) => store.topUsage(query),
      names: (ids) => store.names(ids),
      leader: () => store.leader(),
      submission: async (user, key) => {
        const record = await store.submission(user, key)
        this.#lookups++
        this.#emitter.emit('lookup')
        return record
      },
      lead: () => store.lead(),
      close: () => store.close(),
    }
  }
}
