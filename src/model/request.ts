import type { DurationMs } from '../base/index.ts'

/** Which GPUs may be used. Empty means any. */
export interface GpuSelector {
  /** Accepted models, compared without regard to case; a model matches when it equals or starts with one of these. */
  readonly models?: readonly string[]
  readonly minMemoryBytes?: number
  readonly maxMemoryBytes?: number
}

/**
 * How much, in one of three shapes:
 * - `nodes`: that many nodes, `gpusPerNode` GPUs on each; without `gpusPerNode` each node is taken whole.
 * - `gpus`: that many GPUs on as few nodes as possible (on one node when they fit on one); 0 takes CPU and memory only.
 * - `fraction`: a share of one GPU, in thousandths.
 */
export type ResourceShape =
  | { readonly kind: 'nodes'; readonly nodes: number; readonly gpusPerNode?: number }
  | { readonly kind: 'gpus'; readonly gpus: number }
  | { readonly kind: 'fraction'; readonly milliGpus: number }

/** The gang must (or should) stand inside one domain of `level`; `wait` is how long a preference is held out for. */
export interface WithinDomain {
  readonly level: string
  readonly mode: 'required' | 'preferred'
  readonly waitMs?: DurationMs
}

/** The gang is cut into parts of `nodes` nodes, each inside one domain of `level`. */
export interface Segment {
  readonly nodes: number
  readonly level: string
}

/**
 * Replicas of one workload stand in different domains of `level`: `preferred` shares a domain rather than wait,
 * `required` waits for a domain that has none yet.
 */
export interface Spread {
  readonly level: string
  readonly mode: 'required' | 'preferred'
}

/** A gang that may run at any size between `min` and `max`, counted in the unit of its shape (nodes or GPUs). */
export interface Elastic {
  readonly min: number
  readonly max: number
}

/** An elastic gang starts again at another size, in the unit of its shape. */
export interface Resize {
  readonly from: number
  readonly to: number
}

/** What one attempt needs from the machine. */
export interface ResourceRequest {
  readonly shape: ResourceShape
  readonly gpu?: GpuSelector
  readonly within?: WithinDomain
  readonly segment?: Segment
  readonly spread?: Spread
  readonly elastic?: Elastic
  /** CPU that is taken on each node of the gang, in thousandths of a core; absent means that CPU is not counted. */
  readonly cpuMilli?: number
  /** Memory that is taken on each node of the gang; absent means that memory is not counted. */
  readonly memoryMib?: number
}
