import type { NodeDescription } from '../model/index.ts'
import type { FabricCapacity } from './fabric.ts'

/** A kind of machine that is built the same at any size. */
export interface ClusterTemplate {
  readonly name: string
  /** What it is, with the source of its figures. */
  readonly description: string
  /** Levels under `site`, outermost first, each with how many of the next inner one it holds; the innermost holds nodes. */
  readonly levels: readonly { readonly level: string; readonly holds: number }[]
  readonly node: Omit<NodeDescription, 'id' | 'domains' | 'address'>
  readonly fabric: FabricCapacity
}
