import type { AttemptId, DurationMs, NodeId, QueueId, TimeMs, UserId, WorkloadId } from '../base/index.ts'
import type { Allocation, ResourceRequest, TimeLeft } from '../model/index.ts'

/** One attempt that is wanted: what a workload (or one replica of it) asks of a scheduling pass. */
export interface QueuedGang {
  readonly workload: WorkloadId
  /** 0 but for `serve` workloads. */
  readonly replica: number
  readonly queue: QueueId
  readonly user: UserId
  /** Larger goes first. */
  readonly priority: number
  readonly submittedAt: TimeMs
  readonly request: ResourceRequest
  readonly expectedMs?: DurationMs
  readonly limitMs?: DurationMs
  /** What past runs said of it when it was submitted; what they say when it comes into the line, where that is not known. */
  readonly predictedMs?: DurationMs
  /** How long it still runs by its program's own reports: from `at` on where it runs, all of it where it waits. */
  readonly timeLeft?: Pick<TimeLeft, 'ms' | 'at'> | undefined
  /** How long it will really run in all; known only in the twin. */
  readonly exactMs?: DurationMs
  readonly preemptible: boolean
  /** It may not start before this time: a back-off or `begin`. */
  readonly notBefore: TimeMs
  /** Workloads that must succeed first. */
  readonly waitsFor: readonly WorkloadId[]
  readonly avoid: readonly { readonly node: NodeId; readonly until: TimeMs }[]
  /** Its user wants it on these nodes alone; on any when left out. */
  readonly only?: readonly NodeId[]
  /** Its user wants it on none of these. */
  readonly except?: readonly NodeId[]
  /** GPU-milliseconds that earlier attempts of it have held; for least attained service. */
  readonly attainedGpuMs: number
}

/** What holds a gang's allocation now. */
export interface LiveAttempt {
  readonly attempt: AttemptId
  readonly allocation: Allocation
  readonly startedAt: TimeMs
  /** How long it was bound to run when it started, where only what was known then says so. */
  readonly boundMs?: DurationMs
  /** When it last saved its work; absent when it never did or cannot. */
  readonly checkpointAt?: TimeMs
  /** It has been told to end and still holds its allocation. */
  readonly stopping: boolean
}

/** Identifies a wanted attempt: `w17`, and `w17#2` for a replica that is not the first. */
export function gangKey(workload: WorkloadId, replica: number): string {
  return replica === 0 ? workload : `${workload}#${replica}`
}
