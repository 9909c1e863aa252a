import type { NodeId } from '../base/index.ts'
import type { NodeDescription } from '../model/index.ts'

/** How much the fabric carries: of one node, and by how much each level's uplinks are narrower than what is below. */
export interface FabricCapacity {
  /** Of one node into the fabric, all rails together, each way. */
  readonly nodeBytesPerSecond: number
  /** By level: 1 is non-blocking, 7 lets through a seventh. Levels that are not named have 1. */
  readonly oversubscription: Readonly<Record<string, number>>
}

/**
 * A fat tree with rails folded together: every domain has one uplink to the domain around it, as wide as its nodes
 * together over the oversubscription of its level. Links are numbered: first the nodes' own, then the domains'.
 */
export interface Fabric {
  readonly nodeCount: number
  readonly nodeIndex: ReadonlyMap<NodeId, number>
  readonly linkNames: readonly string[]
  /** Bytes a second each way, by link. */
  readonly capacity: Float64Array
  /** The link above each link; -1 under the root, where everything meets. */
  readonly parent: Int32Array
  /** Nodes below each link. */
  readonly nodesBelow: Int32Array
}

/** The fabric of these nodes. Their domains must name one for each level but the last, which is the node. */
export function buildFabric(
  levels: readonly string[],
  nodes: readonly NodeDescription[],
  capacity: FabricCapacity,
): Fabric {
  const names: string[] = nodes.map(({ id }) => id)
  const parent: number[] = nodes.map(() => -1)
  const below: number[] = nodes.map(() => 1)
  const level: number[] = nodes.map(() => levels.length - 1)
  const domainLink = new Map<string, number>()
  nodes.forEach(({ domains }, node) => {
    let child = node
    for (let depth = domains.length; depth > 0; depth--) {
      const path = domains.slice(0, depth).join('/')
      let link = domainLink.get(path)
      const isNew = link === undefined
      if (link === undefined) {
        link = names.length
        domainLink.set(path, link)
        names.push(path)
        parent.push(-1)
        below.push(0)
        level.push(depth - 1)
      }
      parent[child] = link
      child = link
      if (!isNew) break
    }
    for (let link = parent[node]!; link >= 0; link = parent[link]!) below[link]!++
  })
  return {
    nodeCount: nodes.length,
    nodeIndex: new Map(nodes.map(({ id }, i) => [id, i])),
    linkNames: names,
    parent: Int32Array.from(parent),
    nodesBelow: Int32Array.from(below),
    capacity: Float64Array.from(below, (count, link) => {
      const narrower = link < nodes.length ? 1 : (capacity.oversubscription[levels[level[link]!]!] ?? 1)
      return (count * capacity.nodeBytesPerSecond) / narrower
    }),
  }
}

/** The links that a message crosses from one node up to where the two meet and down to the other, in that order. */
export function route(fabric: Fabric, from: number, to: number): number[] {
  if (from === to) return []
  const up = ancestors(fabric, from)
  const down = ancestors(fabric, to)
  while (up.length > 0 && up.at(-1) === down.at(-1)) {
    up.pop()
    down.pop()
  }
  return [...up, ...down.reverse()]
}

function ancestors({ parent }: Fabric, node: number): number[] {
  const links: number[] = []
  for (let link = node; link >= 0; link = parent[link]!) links.push(link)
  return links
}
