import { randomStream } from '../../../src/base/index.ts'

/** One job of a queue, the same for Slurm and for Banyan. */
export interface QueuedJob {
  readonly nodes: number
  readonly gpusPerNode: number
  readonly minutes: number
}

/** A queue of an AI machine: half small jobs on a part of a node, half gangs of whole nodes, up to 32 of them. */
export function aQueue(count: number, seed: number): QueuedJob[] {
  const random = randomStream(seed, 'bench/slurm/queue')
  return Array.from({ length: count }, () => {
    const minutes = 60 + random.below(23 * 60)
    if (random.next() < 0.5) return { nodes: 1, gpusPerNode: 2 ** random.below(3), minutes }
    return { nodes: 2 ** random.below(6), gpusPerNode: 8, minutes }
  })
}
