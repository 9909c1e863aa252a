import type { DurationMs, QueueId } from '../base/index.ts'

/** One node of the tree of queues. Organisations stand under the root, teams under their organisation. */
export interface Queue {
  readonly id: QueueId
  readonly parent?: QueueId
  /** GPUs that are this queue's whenever it wants them. */
  readonly guaranteedGpus: number
  /** Guarantee in whole domains, for example two blocks, on top of `guaranteedGpus`. */
  readonly guaranteedDomains?: { readonly level: string; readonly count: number }
  /** GPUs it never exceeds; absent means no limit. */
  readonly limitGpus?: number
  readonly limitGpusPerUser?: number
  /** GPU-hours it may use in any window of this length. */
  readonly budget?: { readonly gpuHours: number; readonly windowMs: DurationMs }
  /** Share of what nobody is guaranteed, relative to its siblings. */
  readonly weight: number
  /** Whether what it is guaranteed but leaves idle may be used by others until it wants it back. */
  readonly lendable: boolean
}

/** A queue that is guaranteed nothing and limited by nothing. */
export function openQueue(id: QueueId, parent?: QueueId): Queue {
  return { id, guaranteedGpus: 0, weight: 1, lendable: true, ...(parent ? { parent } : {}) }
}
