import type { NodeId, TimeMs } from '../base/index.ts'
import type { Actor } from './actor.ts'

/**
 * - `ready`: takes new attempts.
 * - `cordoned`: keeps what runs, takes nothing new; only a person or a maintenance window lifts it.
 * - `draining`: as cordoned, and what runs is asked to move; becomes `cordoned` when empty.
 * - `testing`: empty and under a health check; becomes `ready` when it passes.
 * - `down`: the engine says that nothing can run there. Lost contact alone never leads here (S4).
 */
export const NODE_STATES = ['ready', 'cordoned', 'draining', 'testing', 'down'] as const
export type NodeState = (typeof NODE_STATES)[number]

const NODE_TRANSITIONS = {
  ready: ['cordoned', 'draining', 'testing', 'down'],
  cordoned: ['ready', 'draining', 'testing', 'down'],
  draining: ['ready', 'cordoned', 'testing', 'down'],
  testing: ['ready', 'cordoned', 'draining', 'down'],
  down: ['ready', 'cordoned', 'testing'],
} as const satisfies Record<NodeState, readonly NodeState[]>

export function canNodeBecome(from: NodeState, to: NodeState): boolean {
  return (NODE_TRANSITIONS[from] as readonly NodeState[]).includes(to)
}

/** What an engine says a node is. It changes only by the engine's inventory. */
export interface NodeDescription {
  readonly id: NodeId
  /** Names of the domains around the node, outermost first, one for each level of the cluster but the node itself. */
  readonly domains: readonly string[]
  /** For example `H100-80GB`; `slot` on a machine without GPUs, where a slot stands for one process's worth of CPU. */
  readonly gpuModel: string
  readonly gpuCount: number
  readonly gpuMemoryBytes: number
  readonly cpuCount: number
  readonly memoryBytes: number
  readonly nicCount: number
  /** Where tasks of other nodes reach this one. */
  readonly address: string
}

/** One node as the control plane knows it. */
export interface Node extends NodeDescription {
  readonly state: NodeState
  readonly stateReason: string
  readonly stateActor: Actor
  readonly stateSince: TimeMs
  /** Whether its engine answers for it now. Display only: no rule may end an attempt by it (S4). */
  readonly contact: 'connected' | 'lost'
  /** What its engine calls it, where a person gave it another name. */
  readonly engineName?: NodeId
  /** GPUs, by index, that others than Banyan hold, with who that is for people. Written by the engine's facts alone. */
  readonly foreign?: { readonly gpus: readonly number[]; readonly holder: string }
}
