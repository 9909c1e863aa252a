import type { GpuSelector, ResourceRequest } from '../model/index.ts'
import { NODE_LEVEL } from '../model/index.ts'
import { type Bounds, canEverFit, mostNodesTogether } from './feasible.ts'
import { WHOLE_GPU } from './footprint.ts'
import type { NodeClass, TopologyTree } from './tree.ts'

/**
 * A request compiled against one tree. Requests that ask for the same share one class, so that what was found out
 * about one of them (it does not fit now) holds for all.
 */
export interface RequestClass {
  readonly key: string
  /** Its number among the classes compiled for its tree, from 0. */
  readonly index: number
  readonly request: ResourceRequest
  /** Node classes that may serve it, least capable first; a gang stands on one class. */
  readonly options: readonly ClassOption[]
  /** Whether some of them come to more GPUs than others: whole nodes, where nodes have more and fewer. */
  readonly amountsDiffer: boolean
  /** The gang stays inside one domain of this depth; absent when any will do. */
  readonly withinDepth: number | undefined
  readonly withinRequired: boolean
  readonly segmentDepth: number | undefined
  readonly spreadDepth: number | undefined
  /** Whether `place` finds a place wherever there is one, and so in whatever has more free than where there was one. */
  readonly isExact: boolean
  /** Why no machine of this tree can ever serve it. */
  readonly impossible: string | undefined
}

/** What a request comes to on nodes of one class. */
export interface ClassOption {
  readonly nodeClass: number
  /** Nodes that give `gpusPerNode` each. */
  readonly nodes: number
  readonly gpusPerNode: number
  /** GPUs on one further node, or 0. */
  readonly remainder: number
  /** Less than `WHOLE_GPU` for a share of one GPU. */
  readonly milli: number
  /** All of it in thousandths of a GPU. */
  readonly gpuMilli: number
}

/** Requests with equal keys ask for the same. */
export function requestKey(request: ResourceRequest): string {
  const { shape, gpu, within, segment, spread, elastic } = request
  let key: string
  if (shape.kind === 'nodes') key = `n${shape.nodes}x${shape.gpusPerNode ?? ''}`
  else if (shape.kind === 'gpus') key = `g${shape.gpus}`
  else key = `f${shape.milliGpus}`
  if (gpu) key += `|${gpu.models?.join(',') ?? ''};${gpu.minMemoryBytes ?? ''};${gpu.maxMemoryBytes ?? ''}`
  if (within) key += `|w${within.level};${within.mode};${within.waitMs ?? ''}`
  if (segment) key += `|s${segment.nodes};${segment.level}`
  if (spread) key += `|d${spread.level};${spread.mode}`
  if (elastic) key += `|e${elastic.min};${elastic.max}`
  if (request.cpuMilli !== undefined || request.memoryMib !== undefined)
    key += `|c${request.cpuMilli ?? 0};${request.memoryMib ?? 0}`
  return key
}

/** The depth of the largest domain that the gang may ever stand in. */
export function widestDepth({ withinRequired, withinDepth }: RequestClass): number {
  return withinRequired ? (withinDepth ?? 0) : 0
}

export function compileRequest(
  tree: TopologyTree,
  key: string,
  index: number,
  request: ResourceRequest,
): RequestClass {
  const { cpuMilli = 0, memoryMib = 0 } = request
  const withinDepth = depthOf(tree, request.within?.level)
  const segmentDepth = depthOf(tree, request.segment?.level)
  const matching = tree.classes.map((_, c) => c).filter((c) => matches(tree.classes[c]!, request.gpu))
  const options = matching
    .map((c) => classOption(tree.classes[c]!, c, request))
    .filter((option) => option !== undefined)
    .sort((a, b) => leastCapable(tree, a, b))
  const bounds = {
    requiredDepth: request.within?.mode === 'required' ? withinDepth : undefined,
    segmentDepth,
  }
  const fitting = options.filter((option) => canEverFit(tree, request, option, bounds))
  const usable = fitting.length > 0 ? fitting : options
  return {
    key,
    index,
    request,
    options: usable,
    amountsDiffer: usable.some(({ gpuMilli }) => gpuMilli !== usable[0]!.gpuMilli),
    withinDepth,
    withinRequired: request.within?.mode === 'required',
    segmentDepth,
    spreadDepth: depthOf(tree, request.spread?.level),
    isExact:
      cpuMilli + memoryMib === 0 ||
      (segmentDepth === undefined && options.every(({ remainder }) => remainder === 0)),
    impossible:
      impossible(tree, request, matching, options) ??
      (fitting.length > 0 ? undefined : tooLarge(tree, request, options, bounds)),
  }
}

/** The same request at another size, counted in the unit of its shape. */
export function resized(request: ResourceRequest, size: number): ResourceRequest {
  const { shape } = request
  if (shape.kind === 'nodes') return { ...request, shape: { ...shape, nodes: size } }
  if (shape.kind === 'gpus') return { ...request, shape: { ...shape, gpus: size } }
  return request
}

export function requestSize(request: ResourceRequest): number {
  if (request.shape.kind === 'nodes') return request.shape.nodes
  return request.shape.kind === 'gpus' ? request.shape.gpus : 1
}

/** What a gang can start with at least: its minimum if it is elastic. */
export function smallest(request: ResourceRequest): ResourceRequest {
  return request.elastic ? resized(request, request.elastic.min) : request
}

/** What `find` finds for the largest size from `low` to `high` for which it finds anything; sizes go by whole segments. */
export function largestFit<Found>(
  request: ResourceRequest,
  low: number,
  high: number,
  find: (request: ResourceRequest) => Found | undefined,
): Found | undefined {
  const step = request.segment?.nodes ?? 1
  let found: Found | undefined
  let least = Math.ceil(low / step)
  let most = Math.floor(high / step)
  while (least <= most) {
    const middle = (least + most) >> 1
    const here = find(resized(request, middle * step))
    if (here) {
      found = here
      least = middle + 1
    } else {
      most = middle - 1
    }
  }
  return found
}

function matchesModel(models: readonly string[] | undefined, gpuModel: string): boolean {
  if (!models || models.length === 0) return true
  const have = gpuModel.toLowerCase()
  return models.some((model) => have.startsWith(model.toLowerCase()))
}

function matches(nodeClass: NodeClass, gpu: GpuSelector | undefined): boolean {
  if (!gpu) return true
  return (
    matchesModel(gpu.models, nodeClass.gpuModel) &&
    nodeClass.gpuMemoryBytes >= (gpu.minMemoryBytes ?? 0) &&
    nodeClass.gpuMemoryBytes <= (gpu.maxMemoryBytes ?? Number.POSITIVE_INFINITY)
  )
}

function classOption(nodeClass: NodeClass, index: number, request: ResourceRequest): ClassOption | undefined {
  const { shape } = request
  const perNode = nodeClass.gpuCount
  if (shape.kind === 'fraction') {
    if (perNode === 0) return undefined
    return {
      nodeClass: index,
      nodes: 1,
      gpusPerNode: 1,
      remainder: 0,
      milli: shape.milliGpus,
      gpuMilli: shape.milliGpus,
    }
  }
  const whole = { nodeClass: index, milli: WHOLE_GPU }
  if (shape.kind === 'nodes') {
    const gpusPerNode = shape.gpusPerNode ?? perNode
    if (gpusPerNode > perNode || (shape.gpusPerNode === undefined && perNode === 0)) return undefined
    const gpuMilli = shape.nodes * gpusPerNode * WHOLE_GPU
    return { ...whole, nodes: shape.nodes, gpusPerNode, remainder: 0, gpuMilli }
  }
  const gpuMilli = shape.gpus * WHOLE_GPU
  if (shape.gpus <= perNode) return { ...whole, nodes: 1, gpusPerNode: shape.gpus, remainder: 0, gpuMilli }
  if (perNode === 0) return undefined
  const nodes = Math.floor(shape.gpus / perNode)
  return { ...whole, nodes, gpusPerNode: perNode, remainder: shape.gpus % perNode, gpuMilli }
}

/** Keeps the nodes that more requests need for those who need them. */
function leastCapable(tree: TopologyTree, a: ClassOption, b: ClassOption): number {
  const x = tree.classes[a.nodeClass]!
  const y = tree.classes[b.nodeClass]!
  return (
    a.nodes + Math.sign(a.remainder) - (b.nodes + Math.sign(b.remainder)) ||
    x.gpuMemoryBytes - y.gpuMemoryBytes ||
    x.gpuCount - y.gpuCount ||
    a.nodeClass - b.nodeClass
  )
}

function depthOf(tree: TopologyTree, level: string | undefined): number | undefined {
  if (level === undefined) return undefined
  if (level === NODE_LEVEL) return tree.leafDepth + 1
  const depth = tree.levels.indexOf(level)
  return depth < 0 ? undefined : depth + 1
}

/** What is missing where even the empty machine could not hold the gang. */
function tooLarge(
  tree: TopologyTree,
  request: ResourceRequest,
  options: readonly ClassOption[],
  bounds: Bounds,
): string {
  const needed = Math.min(...options.map(({ nodes, remainder }) => nodes + Math.sign(remainder)))
  const most = Math.max(...options.map((option) => mostNodesTogether(tree, request, option, bounds)))
  const { within, segment } = request
  const where = bounds.requiredDepth === undefined ? 'this cluster' : `one ${within!.level}`
  const cut = segment ? ` in segments of ${segment.nodes} inside one ${segment.level}` : ''
  const kind = request.cpuMilli || request.memoryMib ? 'that are large enough' : 'of the right kind'
  return `it needs ${count(needed)}${cut} in ${where}, and ${where} has at most ${most} ${kind}`
}

function count(nodes: number): string {
  return nodes === 1 ? '1 node' : `${nodes} nodes`
}

function impossible(
  tree: TopologyTree,
  request: ResourceRequest,
  matching: readonly number[],
  options: readonly ClassOption[],
): string | undefined {
  const { shape, within, segment } = request
  for (const level of [within?.level, segment?.level, request.spread?.level]) {
    if (level !== undefined && level !== NODE_LEVEL && !tree.levels.includes(level))
      return `this cluster has no level "${level}"; its levels are ${tree.levels.join(', ')}`
  }
  if (segment && shape.kind !== 'nodes') return 'only a gang of whole nodes can be cut into segments'
  if (segment && shape.kind === 'nodes' && shape.nodes % segment.nodes !== 0)
    return `${count(shape.nodes)} cannot be cut into segments of ${segment.nodes}; ask for a multiple`
  if (matching.length === 0)
    return `no node has such a GPU; the cluster has ${[...new Set(tree.classes.map((c) => c.gpuModel))].join(', ') || 'no nodes'}`
  if (options.length === 0) {
    const largest = Math.max(...matching.map((c) => tree.classes[c]!.gpuCount))
    return shape.kind === 'nodes' && shape.gpusPerNode !== undefined
      ? `no node has ${shape.gpusPerNode} GPUs; the largest has ${largest}`
      : 'no node of this cluster has GPUs'
  }
  return undefined
}
