import type { TimeMs, WorkloadId } from '../../base/index.ts'
import type { Actor, Attempt, SpanCause, UsageSpan, Workload, WorkloadState } from '../../model/index.ts'
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
  /** The spans of what ended, cut to the periods and added up. */
  usage(query: UsageQuery): Promise<readonly UsageSum[]>
  /** The same of the most expensive workloads, with all others as one. */
  topUsage(query: TopUsageQuery): Promise<TopUsage>
  /** The names of these workloads, live and final; of ids that are none, nothing. */
  names(workloads: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** The workloads that this user's submission with this key made, if there was one. */
  submission(user: string, idempotencyKey: string): Promise<SubmissionRecord | undefined>
  /** Resolves when this process is the only one that may append; `lost` then tells when it no longer is. */
  lead(): Promise<Leadership>
  /** Where the leader says that it answers; undefined while none leads, or none has said so. */
  leader(): Promise<string | undefined>
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
  /** How the GPUs of what ended were used. */
  readonly spans: readonly UsageSpan[]
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
  /** Only events with a greater number. */
  readonly after: number
  /** Only events with a smaller number. */
  readonly before?: number
  readonly limit: number
  readonly newestFirst?: boolean
  readonly workload?: WorkloadId
  /** What happened to this node itself, and failures that are blamed on it. */
  readonly node?: string
  readonly kinds?: readonly string[]
  /** Without an id: every actor of that kind. */
  readonly actor?: { readonly kind: Actor['kind']; readonly id?: string }
  /** Since then, and before then. */
  readonly from?: TimeMs
  readonly to?: TimeMs
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

/** Whose usage is added up together. */
export const USAGE_GROUPS = ['organisation', 'team', 'user', 'workload'] as const
export type UsageGroup = (typeof USAGE_GROUPS)[number]

export interface Period {
  readonly from: TimeMs
  readonly to: TimeMs
}

export interface UsageQuery {
  /** Each is added up for itself; in order, and they do not overlap. */
  readonly periods: readonly Period[]
  readonly by: UsageGroup
  readonly organisation?: string
  /** Only of these teams or of this user. */
  readonly only?: { readonly teams: readonly string[]; readonly user: string }
}

/** GPU-milliseconds of one group, model and cause in one period. */
export interface UsageSum {
  /** Index of the period. */
  readonly period: number
  readonly key: string
  readonly gpuModel: string
  readonly cause: SpanCause
  readonly gpuMs: number
}

export interface TopUsageQuery extends UsageQuery {
  readonly by: 'workload'
  /** How many, at least 1: those that cost most to a millionth, of these those that held most, of these the oldest. */
  readonly limit: number
  /** Workloads that are told whatever they cost, beside those. */
  readonly keys: readonly string[]
  /** Of a GPU-hour that is billed, by the index of the period; 0 or more. */
  readonly priceOf: (period: number, gpuModel: string) => number
}

export interface TopUsage {
  readonly sums: readonly UsageSum[]
  readonly rest: RestOfUsage
}

/** What groups that are not told held together. */
export interface RestOfUsage {
  /** Their key is empty. */
  readonly sums: readonly UsageSum[]
  readonly groupCount: number
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next?: string
}

export interface Leadership {
  /** Resolves when the lock is lost; the process must stop appending at once. */
  readonly lost: Promise<void>
  /** Tells `leader` of every other process where the leader answers, for as long as it leads. */
  advertise(url: string): Promise<void>
  release(): Promise<void>
}
