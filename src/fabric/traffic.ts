import type { Fabric } from './fabric.ts'

/** How the nodes of a gang talk: a ring or tree of all-reduces, or everybody with everybody (experts, long contexts). */
export type TrafficPattern = 'ring' | 'tree' | 'all-to-all'

/** What a gang at full rate puts on one link, in bytes a second each way. */
export interface LinkDemand {
  readonly link: number
  readonly bytesPerSecond: number
}

/**
 * What a gang on these nodes puts on each link of the fabric while every node sends all it can. Of the links of
 * domains only those are named that part of the gang lies on both sides of.
 *
 * - ring: nodes stand in it in the order of the tree, so each domain is entered once and left once: one node's rate.
 * - tree: a double binary tree sends two halves up and two down through each border: one node's rate too, for at most
 *   two edges cross it at half the rate each (Sanders, Speck and Träff 2009, which NCCL follows).
 * - all-to-all: of k nodes of n below a link each sends (n - k)/(n - 1) of what it sends across it.
 */
export function trafficOf(fabric: Fabric, nodes: readonly number[], pattern: TrafficPattern): LinkDemand[] {
  if (nodes.length < 2) return []
  const rate = fabric.capacity[nodes[0]!]!
  const members = new Map<number, number>()
  for (const node of nodes) {
    for (let link = node; link >= 0; link = fabric.parent[link]!)
      members.set(link, (members.get(link) ?? 0) + 1)
  }
  const demands: LinkDemand[] = []
  for (const [link, k] of members) {
    if (k === nodes.length) continue
    const across = pattern === 'all-to-all' ? (k * (nodes.length - k)) / (nodes.length - 1) : 1
    demands.push({ link, bytesPerSecond: rate * across })
  }
  return demands.sort((a, b) => a.link - b.link)
}
