import type { AttemptId, WorkloadId } from '../../base/index.ts'
import { assert } from '../../base/index.ts'
import type { Batch, LoggedEvent, StoredState } from '../../control/index.ts'
import { isFinal } from '../../model/index.ts'

export interface ModelStoreRecord {
  readonly lastSequence: number
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
  /** Every event, where it keeps the past. */
  readonly log: LoggedEvent[] = []
  readonly #keepsPast: boolean
  #lastSequence = 0
  readonly #documents = new Map<string, string>()
  readonly #workloads = new Map<WorkloadId, string>()
  readonly #attempts = new Map<AttemptId, string>()
  readonly #submissions = new Map<string, readonly WorkloadId[]>()

  /** Without the past it holds what a server needs to start again, which does not grow with what has ended. */
  constructor(keepsPast = true) {
    this.#keepsPast = keepsPast
  }

  /** Final ones too, where it keeps the past. */
  has(workload: WorkloadId): boolean {
    return this.#workloads.has(workload)
  }

  submission(user: string, key: string): readonly WorkloadId[] | undefined {
    return this.#submissions.get(`${user} ${key}`)
  }

  append(batch: Batch): void {
    const last = this.#lastSequence
    assert(
      batch.events.every((event, i) => event.sequence === last + 1 + i),
      `a batch after event ${last} begins with ${batch.events[0]?.sequence}`,
    )
    this.#lastSequence = last + batch.events.length
    if (this.#keepsPast) for (const event of batch.events) this.log.push(structuredCopy(event))
    for (const { collection, id, value } of batch.documents) {
      const key = JSON.stringify([collection, id])
      if (value === undefined) this.#documents.delete(key)
      else this.#documents.set(key, JSON.stringify(value))
    }
    for (const workload of batch.workloads) this.#put(this.#workloads, workload, isFinal(workload.state))
    for (const attempt of batch.attempts) this.#put(this.#attempts, attempt, attempt.state === 'ended')
    for (const { user, idempotencyKey, workloads } of batch.submissions)
      this.#submissions.set(`${user} ${idempotencyKey}`, workloads)
  }

  record(): ModelStoreRecord {
    return {
      lastSequence: this.#lastSequence,
      log: this.log,
      documents: [...this.#documents],
      workloads: [...this.#workloads],
      attempts: [...this.#attempts],
      submissions: [...this.#submissions],
    }
  }

  /** Holds what the record holds, and nothing else. */
  replaceBy(record: ModelStoreRecord): void {
    this.#lastSequence = record.lastSequence
    this.log.length = 0
    for (const event of record.log) this.log.push(event)
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
    return { lastSequence: this.#lastSequence, documents, workloads, attempts }
  }

  #put<Id>(rows: Map<Id, string>, row: { readonly id: Id }, isOver: boolean): void {
    if (isOver && !this.#keepsPast) rows.delete(row.id)
    else rows.set(row.id, JSON.stringify(row))
  }
}

function structuredCopy<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value
}

function refill<Key, Value>(map: Map<Key, Value>, rows: readonly (readonly [Key, Value])[]): void {
  map.clear()
  for (const [key, value] of rows) map.set(key, value)
}
