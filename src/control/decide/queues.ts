import type { Queue } from '../../model/index.ts'
import type { Rejection } from '../effect.ts'
import type { ControlState } from '../state.ts'
import { checkDomains } from './guaranteed-domains.ts'

type Queues = Pick<ControlState, 'cluster' | 'nodes' | 'queues'>

/** Why a queue cannot be set so. */
export function checkQueue(state: Queues, queue: Queue): Rejection | undefined {
  return checkQueues(state, [queue])
}

/** Why these queues cannot be set so together, whatever the order would have been one by one. */
export function checkQueues(
  { cluster, nodes, queues }: Queues,
  changed: readonly Queue[],
): Rejection | undefined {
  const after = new Map(queues)
  for (const queue of changed) {
    const refusal = checkPlace(queues, queue)
    if (refusal) return refusal
    after.set(queue.id, queue)
  }
  for (const queue of changed) {
    const refusal =
      checkPromises(after, queue) ??
      checkDomains({ cluster, nodes, queues: after }, queue, queues.get(queue.id)!)
    if (refusal) return refusal
  }
  return undefined
}

function checkPlace(queues: Queues['queues'], queue: Queue): Rejection | undefined {
  const known = queues.get(queue.id)
  if (!known) {
    return {
      code: 'no-such-queue',
      message: `There is no queue "${queue.id}". Queues are made with their organisation or team; yours are: ${[...queues.keys()].sort().join(', ') || 'none'}.`,
    }
  }
  if (queue.parent !== known.parent) {
    return {
      code: 'invalid-queue',
      message: `The parent of "${queue.id}" is ${known.parent ?? 'the root'} and cannot be changed.`,
    }
  }
  return undefined
}

/**
 * A guarantee that the parent cannot back, that does not back the queues below, or that the queue's own limit
 * contradicts, would be a promise that is broken.
 */
function checkPromises(queues: Queues['queues'], queue: Queue): Rejection | undefined {
  if (queue.limitGpus !== undefined && queue.limitGpus < queue.guaranteedGpus) {
    return {
      code: 'invalid-queue',
      message: `"${queue.id}" would be guaranteed ${queue.guaranteedGpus} GPUs but limited to ${queue.limitGpus}. Raise the limit or lower the guarantee.`,
    }
  }
  let below = 0
  for (const child of queues.values()) if (child.parent === queue.id) below += child.guaranteedGpus
  if (below > queue.guaranteedGpus) {
    return {
      code: 'invalid-queue',
      message: `The queues under "${queue.id}" are guaranteed ${below} GPUs together, so it cannot be guaranteed ${queue.guaranteedGpus}. Lower theirs first.`,
    }
  }
  const parent = queue.parent ? queues.get(queue.parent) : undefined
  if (parent) {
    let promised = queue.guaranteedGpus
    for (const sibling of queues.values()) {
      if (sibling.parent === parent.id && sibling.id !== queue.id) promised += sibling.guaranteedGpus
    }
    if (promised > parent.guaranteedGpus) {
      return {
        code: 'invalid-queue',
        message: `The queues under "${parent.id}" would be guaranteed ${promised} GPUs together, but "${parent.id}" itself has ${parent.guaranteedGpus}. Raise its guarantee first.`,
      }
    }
  }
  return undefined
}
