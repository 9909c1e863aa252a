import type { NodeState } from './node.ts'
import type { WorkloadState } from './workload.ts'

/** What a person may do with a workload in each state: one table for the server, the command line and the console. */
export const WORKLOAD_ACTIONS = {
  queued: ['stop', 'explain', 'edit'],
  starting: ['stop', 'logs'],
  running: ['stop', 'logs'],
  stopping: ['kill', 'logs'],
  succeeded: ['resubmit', 'logs'],
  failed: ['resubmit', 'logs'],
  cancelled: ['resubmit', 'logs'],
} as const satisfies Record<WorkloadState, readonly string[]>

export type WorkloadAction = (typeof WORKLOAD_ACTIONS)[WorkloadState][number]

export function isWorkloadActionAllowed(state: WorkloadState, action: WorkloadAction): boolean {
  return (WORKLOAD_ACTIONS[state] as readonly WorkloadAction[]).includes(action)
}

/** What an operator may do with a node in each state. */
export const NODE_ACTIONS = {
  ready: ['cordon', 'drain'],
  cordoned: ['resume', 'drain'],
  draining: ['resume', 'cordon'],
  testing: ['resume', 'cordon'],
  down: ['resume'],
} as const satisfies Record<NodeState, readonly string[]>

export type NodeAction = (typeof NODE_ACTIONS)[NodeState][number]

export function isNodeActionAllowed(state: NodeState, action: NodeAction): boolean {
  return (NODE_ACTIONS[state] as readonly NodeAction[]).includes(action)
}
