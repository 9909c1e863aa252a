import type { NodeId } from '../../base/index.ts'
import type { Allocation, Program } from '../../model/index.ts'

/** One process of a gang and where it runs. */
export interface Task {
  /** Global rank, from 0, in the order of the allocation's parts. */
  readonly rank: number
  /** Rank among the tasks of its node. */
  readonly localRank: number
  readonly localSize: number
  readonly node: NodeId
  readonly nodeRank: number
  /** All GPUs of the allocation on its node: tasks of one node see each other's, as their collectives need. */
  readonly gpus: readonly number[]
}

/** The tasks of an attempt in rank order: one for each GPU or one for each node. */
export function tasksOf(allocation: Allocation, tasksPer: Program['tasksPer']): Task[] {
  const tasks: Task[] = []
  for (const [nodeRank, part] of allocation.parts.entries()) {
    const localSize = tasksPer === 'gpu' ? part.gpus.length : 1
    for (let localRank = 0; localRank < localSize; localRank++) {
      tasks.push({ rank: tasks.length, localRank, localSize, node: part.node, nodeRank, gpus: part.gpus })
    }
  }
  return tasks
}
