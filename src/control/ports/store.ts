import type { TimeMs, WorkloadId } from '../../base/index.ts'
import type { Attempt, Workload, WorkloadState } from '../../model/index.ts'
import type { LoggedEvent } from '../event.ts'

/**
 * Where the log of events and the present state live. One batch is one transaction: after `append` resolves, the
 * batch survives any crash; when it rejects, nothing of the batch is there or the writer must load again.
 */
export interface Store {
  /** The live state: every document, every workload and attempt that is not final, and the last event's number. */
  load(): Promise<StoredState>
  append(batch: Batch): Promise<void>
  /** Events in order, for replay, audit and streams that resume. */
  events(query: EventQuery): Promise<readonly LoggedEvent[]>
  /** Workloads, live and final, newest first. */
  workloads(query: WorkloadQuery): Promise<Page<Workload>>
  workload(id: WorkloadId): Promise<Workload | undefined>
  attempts(workload: WorkloadId): Promise<readonly Attempt[]>
  /** The workloads that this user's submission with this key made, if there was one. */
  submission(user: string, idempotencyKey: string): Promise<SubmissionRecord | undefined>
  /** Resolves when this process is the only one that may append; `lost` then tells when it no longer is. */
  lead(): Promise<Leadership>
  close(): Promise<void>
}

/** One row of a collection that is held in memory whole: nodes, queues, users, tokens, the policy, accounts ... */
export interface Document {
  readonly collection: string
  readonly id: string
  /** Absent when the row is to be deleted. */
  readonly value?: unknown
}

export interface Batch {
  /** In order, numbered without a gap after the last event of the log. */
  readonly events: readonly LoggedEvent[]
  readonly documents: readonly Document[]
  readonly workloads: readonly Workload[]
  readonly attempts: readonly Attempt[]
  readonly submissions: readonly SubmissionRecord[]
}

export interface SubmissionRecord {
  readonly user: string
  readonly idempotencyKey: string
  /** SHA-256 of the request, so that a key used again for something else is refused. */
  readonly requestHash: string
  readonly workloads: readonly WorkloadId[]
  readonly at: TimeMs
}

export interface StoredState {
  readonly lastSequence: number
  readonly documents: readonly Document[]
  readonly workloads: readonly Workload[]
  readonly attempts: readonly Attempt[]
}

export interface EventQuery {
  readonly after: number
  readonly limit: number
  readonly workload?: WorkloadId
}

export interface WorkloadQuery {
  readonly organisation?: string
  readonly team?: string
  readonly user?: string
  readonly states?: readonly WorkloadState[]
  readonly name?: string
  readonly limit: number
  readonly cursor?: string
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next?: string
}

export interface Leadership {
  /** Resolves when the lock is lost; the process must stop appending at once. */
  readonly lost: Promise<void>
  release(): Promise<void>
}
