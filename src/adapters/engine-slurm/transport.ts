/**
 * The few things that the engine asks of a Slurm controller, whatever way they go there. Every call may fail with
 * `SlurmUnreachable`, which says nothing about any job, or with `SlurmRefusal`, Slurm's own "no".
 */
export interface SlurmTransport {
  /** For messages: `commands`, `rest v0.0.38`. */
  readonly name: string
  /** Every job that the controller remembers, of all users, those that ended lately with them. One call. */
  jobs(): Promise<SlurmJob[]>
  /** Every node. One call. */
  nodes(): Promise<SlurmNode[]>
  partitions(): Promise<SlurmPartition[]>
  /** Slurm's own topology in the form of topology.conf, or undefined where this way does not lead to it. */
  topology(): Promise<string | undefined>
  /** The new job's id. After `SlurmUnreachable` the job may be there all the same. */
  submit(request: JobRequest): Promise<number>
  /** Ends a job; one that ended already is none's trouble. `onlyPending` spares it once it runs, where that can be said. */
  cancel(job: number, onlyPending: boolean): Promise<void>
  /** Takes a node out of use for new jobs, or back. */
  setNode(name: string, order: NodeOrder): Promise<void>
  close(): Promise<void>
}

export interface SlurmJob {
  readonly id: number
  /** Without flags, upper case: `PENDING`, `RUNNING`, `COMPLETING`, `NODE_FAIL`. */
  readonly state: string
  readonly reason: string
  readonly user: string
  readonly name: string
  readonly partition: string
  /** Hostlist of what it holds; empty while it waits. */
  readonly nodes: string
  readonly comment: string
}

export interface SlurmNode {
  readonly name: string
  readonly address: string
  /** `gpu:h100:8(S:0-1)`. */
  readonly gres: string
  readonly gresUsed: string
  /** Base state and flags, upper case: `IDLE`, `DRAIN`, `NOT_RESPONDING`. */
  readonly states: readonly string[]
  readonly reason: string
  readonly cpus: number
  readonly cpusUsed: number
  readonly memoryMib: number
  readonly memoryMibUsed: number
  readonly features: readonly string[]
  readonly partitions: readonly string[]
}

export interface SlurmPartition {
  readonly name: string
  readonly isDefault: boolean
  readonly isUp: boolean
  /** Undefined when there is no limit. */
  readonly maxMinutes: number | undefined
}

export interface JobRequest {
  readonly name: string
  readonly comment: string
  readonly nodes: readonly string[]
  /** `gpu:h100:4` on each node; undefined for a job without GPUs. */
  readonly gresPerNode: string | undefined
  readonly cpusPerNode: number
  readonly memoryMibPerNode: number
  /** Undefined: no limit. */
  readonly minutes: number | undefined
  readonly partition: string
  readonly account: string | undefined
  readonly qos: string | undefined
  readonly folder: string
  readonly output: string
  readonly script: string
  readonly environment: Readonly<Record<string, string>>
}

export type NodeOrder = { readonly kind: 'drain'; readonly reason: string } | { readonly kind: 'resume' }

/** The controller did not answer, or not in time. */
export class SlurmUnreachable extends Error {
  override readonly name = 'SlurmUnreachable'
}

/** The controller answered no. */
export class SlurmRefusal extends Error {
  override readonly name = 'SlurmRefusal'
}
