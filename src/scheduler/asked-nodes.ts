import { listed } from './amounts.ts'
import type { Blocker } from './explanation.ts'
import type { QueuedGang } from './gang.ts'

import type { TopologyTree } from './tree.ts'

/** Nodes that the gang may not stand on because it asked for others, or for any but these. */
export function notAskedFor(tree: TopologyTree, { only, except }: QueuedGang): number[] {
  if (!only && !except) return []
  const nodes: number[] = []
  const wanted = only && new Set(only)
  const unwanted = new Set(except)
  tree.nodeIds.forEach((node, n) => {
    if (unwanted.has(node) || (wanted && !wanted.has(node))) nodes.push(n)
  })
  return nodes
}

/** Whether there are nodes that may be closed to this gang and open to others that ask for as much. */
export function hasOwnNodes({ avoid, only, except }: QueuedGang): boolean {
  return avoid.length > 0 || only !== undefined || except !== undefined
}

/** What is said when there is room elsewhere. */
export function askedForOthers({ only, except }: QueuedGang): Blocker {
  const asked = [
    ...(only ? [`only on ${listed(only)}`] : []),
    ...(except ? [`not on ${listed(except)}`] : []),
  ]
  return {
    kind: 'shape',
    message: `There is room, but it is to run ${asked.join(' and ')}; without that it would start now.`,
    holders: [],
  }
}
