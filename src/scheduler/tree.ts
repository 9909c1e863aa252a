import type { NodeId } from '../base/index.ts'
import { assert, compareIds, present } from '../base/index.ts'
import type { NodeDescription } from '../model/index.ts'

/** Nodes that a gang may mix: same GPU model, GPUs per node and memory per GPU. */
export interface NodeClass {
  readonly gpuModel: string
  readonly gpuCount: number
  readonly gpuMemoryBytes: number
}

/**
 * The tree of domains as arrays by index: built once for a set of nodes, never changed, shared by every copy of
 * the machine. Depth 0 is the whole machine, depth `i + 1` the level `levels[i]`. Domains are numbered depth by
 * depth and nodes from left to right, so the children of a domain, the domains of a depth and the nodes under a
 * domain are ranges.
 */
export interface TopologyTree {
  readonly levels: readonly string[]
  /** Depth of the domains whose children are nodes. */
  readonly leafDepth: number
  readonly nodeCount: number
  readonly nodeIds: readonly NodeId[]
  readonly nodeIndex: ReadonlyMap<NodeId, number>
  readonly descriptions: readonly NodeDescription[]
  /** The innermost domain of each node. */
  readonly nodeDomain: Int32Array
  readonly nodeClass: Int32Array
  readonly classes: readonly NodeClass[]
  /** Where the GPUs of each node start in arrays by GPU; one more than there are nodes. */
  readonly gpuStart: Int32Array
  readonly domainCount: number
  readonly domainNames: readonly string[]
  readonly domainDepth: Int32Array
  readonly domainParent: Int32Array
  readonly firstChild: Int32Array
  readonly endChild: Int32Array
  readonly firstNode: Int32Array
  readonly endNode: Int32Array
  /** First domain of each depth; one more than there are depths. */
  readonly depthStart: Int32Array
}

interface Draft {
  readonly name: string
  readonly parent: number
  readonly children: Map<string, Draft>
  readonly nodes: NodeDescription[]
}

/** The tree of these nodes; the order of the argument does not matter. A node's path must name every level. */
export function buildTree(levels: readonly string[], nodes: Iterable<NodeDescription>): TopologyTree {
  const leafDepth = levels.length - 1
  const root = draft('', -1)
  for (const node of nodes) {
    assert(
      node.domains.length === leafDepth,
      `node ${node.id} names ${node.domains.length} domains, the cluster has ${leafDepth} levels above the node`,
    )
    let at = root
    for (const name of node.domains) {
      let child = at.children.get(name)
      if (!child) {
        child = draft(name, 0)
        at.children.set(name, child)
      }
      at = child
    }
    at.nodes.push(node)
  }
  return number(levels, leafDepth, root)
}

function draft(name: string, parent: number): Draft {
  return { name, parent, children: new Map(), nodes: [] }
}

function number(levels: readonly string[], leafDepth: number, root: Draft): TopologyTree {
  const domains: { draft: Draft; depth: number; parent: number }[] = [{ draft: root, depth: 0, parent: -1 }]
  const firstChild: number[] = []
  const endChild: number[] = []
  const depthStart = [0]
  for (let d = 0; d < domains.length; d++) {
    const { draft: at, depth } = domains[d]!
    if (depth === depthStart.length) depthStart.push(d)
    firstChild.push(domains.length)
    const names = [...at.children.keys()].sort(compareIds)
    for (const name of names)
      domains.push({ draft: present(at.children.get(name), name), depth: depth + 1, parent: d })
    endChild.push(domains.length)
  }
  while (depthStart.length <= leafDepth + 1) depthStart.push(domains.length)

  const firstNode = new Int32Array(domains.length)
  const endNode = new Int32Array(domains.length)
  const descriptions: NodeDescription[] = []
  const nodeDomain: number[] = []
  for (let d = 0; d < domains.length; d++) {
    if (domains[d]!.depth !== leafDepth) continue
    firstNode[d] = descriptions.length
    for (const node of domains[d]!.draft.nodes.sort((a, b) => compareIds(a.id, b.id))) {
      descriptions.push(node)
      nodeDomain.push(d)
    }
    endNode[d] = descriptions.length
  }
  for (let d = domains.length - 1; d >= 0; d--) {
    if (domains[d]!.depth === leafDepth) continue
    firstNode[d] = firstChild[d]! < endChild[d]! ? firstNode[firstChild[d]!]! : 0
    endNode[d] = firstChild[d]! < endChild[d]! ? endNode[endChild[d]! - 1]! : 0
  }

  const classes: NodeClass[] = []
  const classIndex = new Map<string, number>()
  const names = descriptions.map((node) => `${node.gpuModel}/${node.gpuCount}/${node.gpuMemoryBytes}`)
  const sortedNames = [...new Set(names)].sort(compareIds)
  for (const name of sortedNames) {
    const node = descriptions[names.indexOf(name)]!
    classIndex.set(name, classes.length)
    classes.push({
      gpuModel: node.gpuModel,
      gpuCount: node.gpuCount,
      gpuMemoryBytes: node.gpuMemoryBytes,
    })
  }
  const gpuStart = new Int32Array(descriptions.length + 1)
  descriptions.forEach((node, n) => {
    gpuStart[n + 1] = gpuStart[n]! + node.gpuCount
  })
  return {
    levels,
    leafDepth,
    nodeCount: descriptions.length,
    nodeIds: descriptions.map((node) => node.id),
    nodeIndex: new Map(descriptions.map((node, n) => [node.id, n])),
    descriptions,
    nodeDomain: Int32Array.from(nodeDomain),
    nodeClass: Int32Array.from(names, (name) => classIndex.get(name)!),
    classes,
    gpuStart,
    domainCount: domains.length,
    domainNames: domains.map((domain) => domain.draft.name),
    domainDepth: Int32Array.from(domains, (domain) => domain.depth),
    domainParent: Int32Array.from(domains, (domain) => domain.parent),
    firstChild: Int32Array.from(firstChild),
    endChild: Int32Array.from(endChild),
    firstNode,
    endNode,
    depthStart: Int32Array.from(depthStart),
  }
}

/** The domain of this depth around a node; at depth 0 the whole machine. */
export function domainAround(tree: TopologyTree, node: number, depth: number): number {
  let domain = tree.nodeDomain[node]!
  while (tree.domainDepth[domain]! > depth) domain = tree.domainParent[domain]!
  return domain
}

/** `pod-1/block-3`, for people; the whole machine is `the cluster`. */
export function domainPath(tree: TopologyTree, domain: number): string {
  if (domain === 0) return 'the cluster'
  const names: string[] = []
  for (let d = domain; d > 0; d = tree.domainParent[d]!) names.unshift(tree.domainNames[d]!)
  return names.join('/')
}
