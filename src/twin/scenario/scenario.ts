import type { DurationMs, TimeMs } from '../../base/index.ts'
import type { FabricCapacity, TrafficPattern } from '../../fabric/index.ts'
import type { Elastic, Policy, PriorityClass, Queue, RunDeclaration } from '../../model/index.ts'
import type { Precision } from '../../planner/index.ts'
import type { ControlFaultPlan } from '../faults/control-faults.ts'
import type { FaultPlan } from '../faults/fault-injector.ts'
import type { ShapeName } from '../traces/generate.ts'

/** What one run of the twin is about: the value of a scenario file, defaults filled in. */
export interface Scenario {
  readonly name: string
  readonly seed: number
  /** The run ends here even when work is left; absent means when all work has ended. */
  readonly horizonMs?: DurationMs
  readonly cluster: ClusterChoice
  readonly policy: Policy
  /** Whether users declare exact run times. */
  readonly declareRunTimes: boolean
  readonly workloads: readonly WorkloadSource[]
  /** What each start costs a job, drawn evenly from this span. */
  readonly startCost: Span
  /** Of the jobs that say nothing of it themselves. */
  readonly checkpoint: CheckpointChoice
  readonly queues: readonly QueueChoice[]
  readonly faults?: FaultPlan
  /** Absent: the control plane itself never fails. */
  readonly controlFaults?: ControlFaultPlan
  /** Absent: gangs never wait for each other's traffic. */
  readonly fabric?: FabricCapacity
  /** Money for a GPU-hour, in the currency of the reader's choice. */
  readonly pricePerGpuHour: number
}

export interface Span {
  readonly fromMs: DurationMs
  readonly toMs: DurationMs
}

export type ClusterChoice =
  | { readonly kind: 'plain'; readonly nodes: number; readonly gpus: number; readonly gpuModel: string }
  | { readonly kind: 'template'; readonly template: string; readonly nodes: number }

export interface CheckpointChoice {
  /** Absent: only when told to end. */
  readonly everyMs?: DurationMs
  readonly costMs: DurationMs
  readonly graceMs: DurationMs
}

export interface QueueChoice {
  readonly tenant: string
  readonly settings: Partial<Pick<Queue, 'guaranteedGpus' | 'limitGpus' | 'weight' | 'lendable'>>
}

export type WorkloadSource =
  | {
      readonly kind: 'trace'
      readonly file: string
      /** `auto`: `sacct` where the header's fields are separated by `|`. */
      readonly format: 'auto' | 'csv' | 'sacct'
      /** Only submissions from here to before there, in the trace's own milliseconds or since 1970 where its epoch is known. */
      readonly from?: Moment
      readonly to?: Moment
    }
  | {
      readonly kind: 'generate'
      readonly shape: ShapeName
      readonly load: number
      readonly spanMs: DurationMs
      readonly largestGpus?: number
    }
  | {
      readonly kind: 'jobs'
      readonly name: string
      readonly tenant: string
      readonly count: number
      /** Between two submissions. */
      readonly everyMs: DurationMs
      readonly size: { readonly nodes: number } | { readonly gpus: number }
      /** The sizes that it may run at, in the unit of `size`; its work goes on in proportion. */
      readonly elastic?: Elastic
      /** Said outright, or planned for the model that it trains and the hardware that it runs on. */
      readonly work: { readonly runMs: DurationMs } | { readonly plan: RunDeclaration }
      readonly priority: PriorityClass
      readonly preemptible: boolean
      readonly retryUser: number
      readonly checkpoint?: CheckpointChoice
      readonly traffic?: { readonly pattern: TrafficPattern; readonly share: number }
    }
  | ServeSource
  | MachinesSource

export interface ServeSource {
  readonly kind: 'serve'
  readonly name: string
  readonly tenant: string
  readonly model: string
  readonly priority: PriorityClass
  readonly preemptible: boolean
  /** Of one replica; absent: the planner's choice. */
  readonly gpus?: number
  /** Absent: as many as the planner takes for the mean of what is asked. */
  readonly replicas?: number
  /** Requests that a replica works on at once, where its memory holds them. */
  readonly concurrent: number
  readonly outstandingPerReplica: number
  readonly precision: Precision
  /** How quickly a replica really works, in place of the planner's estimate. */
  readonly measured?: { readonly prefillTokensPerSecond: number; readonly tokenMs: DurationMs }
  readonly requests: {
    readonly file: string
    /** So many times as many requests: copies of the trace, each shifted by chance. */
    readonly times: number
    /** They begin so long after the submission. */
    readonly afterMs: DurationMs
    /** The trace is played from its beginning again for so long; absent: once. */
    readonly lastsMs?: DurationMs
  }
}

/** Machines that people hold for a time; each set comes and goes whole. */
export interface MachinesSource {
  readonly kind: 'machines'
  readonly name: string
  readonly tenant: string
  readonly size: { readonly nodes: number } | { readonly gpus: number }
  /** From when they are up, drawn evenly. */
  readonly held: Span
  /** Share of that time in which something runs on them; absent where that is not known. */
  readonly used?: number
  /** One after the other, or at moments of chance. */
  readonly asked:
    | { readonly count: number; readonly everyMs: DurationMs }
    | { readonly perDay: number; readonly spanMs: DurationMs }
  readonly priority: PriorityClass
  readonly preemptible: boolean
}

/** A point in a trace: seconds since it began, or a date, whose last day counts whole when it is an end. */
export type Moment =
  | { readonly kind: 'seconds'; readonly ms: DurationMs }
  | { readonly kind: 'date'; readonly ms: TimeMs; readonly wholeDay: boolean }
