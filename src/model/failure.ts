import type { NodeId } from '../base/index.ts'

export const OUTCOMES = ['succeeded', 'user-failure', 'platform-failure', 'preempted', 'cancelled'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** Why an attempt did not succeed, named so that a person can act on it. */
export interface Failure {
  /** A class of the catalogue, for example `gpu-xid`, `nccl-timeout`, `out-of-memory`, `exit-code`, `killed`, `node-lost`. */
  readonly class: string
  /** One sentence: which task, what it did, what to do next. */
  readonly message: string
  /** The task that failed first, by global rank. */
  readonly task?: number
  readonly exitCode?: number
  readonly signal?: string
  /** The node to blame and to avoid, for platform failures. */
  readonly node?: NodeId
  /** The log line that gave it away. */
  readonly evidence?: string
}
