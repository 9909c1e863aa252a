import type { DurationMs, NodeId, TimeMs } from '../base/index.ts'
import type { PriorityClass } from './policy.ts'
import type { ResourceRequest } from './request.ts'
import type { PlannedRun, RunDeclaration } from './run-declaration.ts'

export const WORKLOAD_TYPES = ['train', 'serve', 'machines'] as const
export type WorkloadType = (typeof WORKLOAD_TYPES)[number]

/** How often each class of failure is tried again. A platform failure is never charged to the user (S7). */
export interface RetryLimits {
  /** Attempts that the user's own program ended with an error and that are started again. */
  readonly user: number
  /** Attempts that the platform ended and that are started again; the default bounds a machine that fails always. */
  readonly platform: number
}

export const DEFAULT_RETRY: RetryLimits = { user: 0, platform: 100 }

export interface CheckpointSpec {
  /** Folder that is kept across attempts; relative to `workdir`. */
  readonly path: string
  /** How often the program saves, which bounds the work an eviction loses. */
  readonly everyMs?: DurationMs
  /** Time between the signal to save and the end. */
  readonly graceMs: DurationMs
}

/** What the tasks of an attempt run and see. */
export interface Program {
  /** Run by `sh -c` in order; the first that fails ends the task. */
  readonly run: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Absolute folder on the nodes. */
  readonly workdir: string
  readonly image?: string
  /** One task for each GPU, or one for each node. */
  readonly tasksPer: 'gpu' | 'node'
}

export interface LimitWarning {
  readonly signal: string
  readonly beforeMs: DurationMs
}

interface CommonSpec {
  readonly name: string
  readonly priority: PriorityClass
  readonly resources: ResourceRequest
  readonly program: Program
  readonly retry: RetryLimits
  /** Seconds are the user's own estimate; the limit is enforced. */
  readonly expectedMs?: DurationMs
  readonly limitMs?: DurationMs
  /** So long before the limit the tasks are sent this signal instead of SIGTERM at it; what is left at the limit is killed. */
  readonly warning?: LimitWarning
  /** The first attempt starts no sooner. */
  readonly notBefore?: TimeMs
  /** It stands on these nodes alone; on any when left out. */
  readonly onlyNodes?: readonly NodeId[]
  /** It stands on none of these. */
  readonly exceptNodes?: readonly NodeId[]
  readonly preemptible: boolean
}

export interface TrainSpec extends CommonSpec {
  readonly type: 'train'
  readonly checkpoint?: CheckpointSpec
  /** Ids or names of workloads that must have succeeded before this one may start. */
  readonly dependsOn: readonly string[]
  readonly plan?: RunDeclaration
  /** What was planned for it when it was submitted. */
  readonly planned?: PlannedRun
  /** Set on each member of an array: its index is `BANYAN_ARRAY_INDEX`. */
  readonly arrayIndex?: number
}

export interface ServeSpec extends CommonSpec {
  readonly type: 'serve'
  /** The name clients ask for in `model`. */
  readonly model: string
  readonly replicas: number
  readonly readiness: { readonly path: string; readonly timeoutMs: DurationMs; readonly everyMs: DurationMs }
}

export interface MachinesSpec extends CommonSpec {
  readonly type: 'machines'
  readonly count: number
}

/** How long an attempt runs until it is sent its first signal because of its limit; undefined without one. */
export function stoppedAfterMs({ limitMs, warning }: WorkloadSpec): DurationMs | undefined {
  return limitMs === undefined ? undefined : limitMs - (warning?.beforeMs ?? 0)
}

/** A workload as its user meant it: defaults filled in, units resolved, names checked. */
export type WorkloadSpec = TrainSpec | ServeSpec | MachinesSpec
