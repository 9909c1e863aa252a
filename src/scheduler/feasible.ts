import type { ResourceRequest } from '../model/index.ts'
import { domainAround, type TopologyTree } from './tree.ts'

/** What the gang comes to on nodes of one class. */
interface Option {
  readonly nodeClass: number
  readonly nodes: number
  readonly remainder: number
}

/** Where a gang has to stand, by depth; absent bounds bind nothing. */
export interface Bounds {
  readonly requiredDepth: number | undefined
  readonly segmentDepth: number | undefined
}

/** Whether the gang would fit if every node of the tree but those left out were ready and empty. */
export function canEverFit(
  tree: TopologyTree,
  request: ResourceRequest,
  option: Option,
  bounds: Bounds,
  leftOut?: ReadonlySet<number>,
): boolean {
  const needed = option.nodes + Math.sign(option.remainder)
  return mostNodesTogether(tree, request, option, bounds, leftOut) >= needed
}

/** The most nodes for this option that one domain has which it may stand in; whole segments only, where it is cut. */
export function mostNodesTogether(
  tree: TopologyTree,
  request: ResourceRequest,
  option: Option,
  { requiredDepth = 0, segmentDepth }: Bounds,
  leftOut?: ReadonlySet<number>,
): number {
  const nodes = suitableNodes(tree, request, option)
  const size = request.segment?.nodes ?? 1
  const isCut = segmentDepth !== undefined && segmentDepth > requiredDepth
  const inPart = new Map<number, number>()
  const inDomain = new Map<number, number>()
  for (const n of nodes) {
    if (leftOut?.has(n)) continue
    const part = placeOf(tree, n, isCut ? segmentDepth : requiredDepth)
    const here = (inPart.get(part) ?? 0) + 1
    inPart.set(part, here)
    if (isCut && here % size !== 0) continue
    const domain = placeOf(tree, n, requiredDepth)
    inDomain.set(domain, (inDomain.get(domain) ?? 0) + (isCut ? size : 1))
  }
  return Math.max(0, ...inDomain.values())
}

function suitableNodes(
  tree: TopologyTree,
  { cpuMilli = 0, memoryMib = 0 }: ResourceRequest,
  option: Option,
): number[] {
  const nodes: number[] = []
  tree.descriptions.forEach(({ cpuCount, memoryBytes }, n) => {
    if (tree.nodeClass[n] !== option.nodeClass) return
    if (cpuCount * 1000 >= cpuMilli && memoryBytes / 2 ** 20 >= memoryMib) nodes.push(n)
  })
  return nodes
}

/** The domain of this depth around the node, or the node itself below the innermost. */
function placeOf(tree: TopologyTree, node: number, depth: number): number {
  return depth > tree.leafDepth ? -1 - node : domainAround(tree, node, depth)
}
