import type { AttemptId, WorkloadId } from '../../base/index.ts'
import { assert } from '../../base/index.ts'
import type { Batch, LoggedEvent, StoredState } from '../../control/index.ts'
import { isFinal } from '../../model/index.ts'

export interface ModelStoreRecord {
  readonly log: readonly LoggedEvent[]
  readonly documents: readonly (readonly [string, string])[]
  readonly workloads: readonly (readonly [WorkloadId, string])[]
  readonly attempts: readonly (readonly [AttemptId, string])[]
  readonly submissions: readonly (readonly [string, readonly WorkloadId[]])[]
}

/**
 * What a store holds after the batches it took: rows as text, so that nothing in memory is shared with the state they
 * were taken from. It keeps the promises of the store port and no more.
 */
export class ModelStore {
  readonly log: LoggedEvent[] = []
  readonly #documents = new Map<string, string>()
  readonly #workloads = new Map<WorkloadId, string>()
  readonly #attempts = new Map<AttemptId, string>()
  readonly #submissions = new Map<string, readonly WorkloadId[]>()

  /** Live and final. */
  has(workload: WorkloadId): boolean {
    return this.#workloads.has(workload)
  }

  submission(user: string, key: string): readonly WorkloadId[] | undefined {
    return this.#submissions.get(`${user} ${key}`)
  }

  append(batch: Batch): void {
    const last = this.log.at(-1)?.sequence ?? 0
    assert(
      batch.events.every((event, i) => event.sequence === last + 1 + i),
      `a batch after event ${last} begins with ${batch.events[0]?.sequence}`,
    )
    for (const event of batch.events) this.log.push(structuredCopy(event))
    for (const { collection, id, value } of batch.documents) {
      const key = JSON.stringify([collection, id])
      if (value === undefined) this.#documents.delete(key)
      else this.#documents.set(key, JSON.stringify(value))
    }
    for (const workload of batch.workloads) this.#workloads.set(workload.id, JSON.stringify(workload))
    for (const attempt of batch.attempts) this.#attempts.set(attempt.id, JSON.stringify(attempt))
    for (const { user, idempotencyKey, workloads } of batch.submissions)
      this.#submissions.set(`${user} ${idempotencyKey}`, workloads)
  }

  record(): ModelStoreRecord {
    return {
      log: this.log,
      documents: [...this.#documents],
      workloads: [...this.#workloads],
      attempts: [...this.#attempts],
      submissions: [...this.#submissions],
    }
  }

  /** Holds what the record holds, and nothing else. */
  replaceBy(record: ModelStoreRecord): void {
    this.log.splice(0, this.log.length, ...record.log)
    refill(this.#documents, record.documents)
    refill(this.#workloads, record.workloads)
    refill(this.#attempts, record.attempts)
    refill(this.#submissions, record.submissions)
  }

  /** Loses a row: what a store must never do, for the checkers to be tried on. */
  lose(workload: WorkloadId): void {
    this.#workloads.delete(workload)
  }

  load(): StoredState {
    const documents = [...this.#documents].map(([key, text]) => {
      const [collection, id] = JSON.parse(key) as [string, string]
      return { collection, id, value: JSON.parse(text) as unknown }
    })
    const workloads = [...this.#workloads.values()]
      .map((text) => JSON.parse(text) as StoredState['workloads'][number])
      .filter(({ state }) => !isFinal(state))
    const attempts = [...this.#attempts.values()]
      .map((text) => JSON.parse(text) as StoredState['attempts'][number])
      .filter(({ state }) => state !== 'ended')
    return { lastSequence: this.log.at(-1)?.sequence ?? 0, documents, workloads, attempts }
  }
}

function structuredCopy<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value
}

function refill<Key, Value>(map: Map<Key, Value>, rows: readonly (readonly [Key, Value])[]): void {
  map.clear()
  for (const [key, value] of rows) map.set(key, value)
}
