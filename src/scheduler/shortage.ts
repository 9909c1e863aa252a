import type { TimeMs } from '../base/index.ts'
import { are, gpus, nodes } from './amounts.ts'
import { earliestPlace } from './earliest.ts'
import type { Blocker } from './explanation.ts'
import type { Fleet } from './fleet.ts'
import { WHOLE_GPU } from './footprint.ts'
import { named } from './holders.ts'
import type { Occupant } from './holding.ts'
import { place } from './placement.ts'
import type { RequestClass } from './request-class.ts'
import { domainPath } from './tree.ts'

/** What is said where the machine has no room for the gang: too few GPUs, or enough of them in the wrong places. */
export function shortage(
  fleet: Fleet,
  live: Iterable<Occupant>,
  request: RequestClass,
  minDepth: number,
  now: TimeMs,
): Blocker {
  const { capacity, tree, foreign } = fleet
  const option = request.options[0]!
  const classes = new Set(request.options.map(({ nodeClass }) => nodeClass))
  let free = 0
  for (const nodeClass of classes) free += capacity.openMilli[nodeClass]!
  const isOfKind = ({ footprint }: Occupant) =>
    footprint.nodes.length > 0 && classes.has(tree.nodeClass[footprint.nodes[0]!]!)
  const holders = named([...live].filter(isOfKind))
  const at = earliestPlace(fleet, request, minDepth, now)?.at ?? Number.POSITIVE_INFINITY
  const when = at < Number.POSITIVE_INFINITY ? { earliestEndAt: at } : {}
  if (free < option.gpuMilli)
    return {
      kind: 'capacity',
      message: `It needs ${gpus(option.gpuMilli)} and ${free === 0 ? 'none' : free / 1000} of the right kind ${are(free === 0 ? 1 : free / 1000)} free.${foreign.words(capacity)}`,
      needed: option.gpuMilli / 1000,
      available: free / 1000,
      unit: 'GPUs',
      holders,
      ...when,
    }
  const { needed, available, words } = misplaced(fleet, request, minDepth)
  const isFree = `${gpus(free)} of the right kind ${are(free / 1000)} free`
  return {
    kind: 'shape',
    message: `${isFree}, but ${words}.${foreign.words(capacity)}`,
    needed,
    available,
    unit: 'nodes',
    holders,
    ...when,
  }
}

interface Misplaced {
  readonly needed: number
  readonly available: number
  readonly words: string
}

/** Why as many GPUs as it needs are of no use where they are. */
function misplaced(fleet: Fleet, request: RequestClass, minDepth: number): Misplaced {
  const option = request.options[0]!
  const needed = option.nodes + Math.sign(option.remainder)
  const beside = lackingBeside(fleet, request, minDepth)
  if (beside) return { needed, available: 0, words: beside }
  if (option.milli < WHOLE_GPU)
    return {
      needed,
      available: 0,
      words: `in smaller parts: it needs ${gpus(option.milli)} in one piece, and the largest piece is ${gpus(largestPart(fleet, request))}`,
    }
  const { nodes: most, domain } = mostTogether(fleet, request, minDepth)
  const scattered = over(fleet, request)
  const { within, segment } = request.request
  const where = minDepth === 0 ? 'in the whole cluster' : `in one ${within!.level}`
  const which = minDepth === 0 || most === 0 ? '' : ` (${domainPath(fleet.tree, domain)})`
  const each = `${nodes(option.nodes)} with ${option.gpusPerNode} free${option.nodes === 1 ? '' : ' each'}`
  const rest = option.remainder === 0 ? '' : ` and one more with ${option.remainder}`
  const cut = segment ? ` in segments of ${segment.nodes} inside one ${segment.level}` : ''
  return {
    needed,
    available: most,
    words: `${scattered}: it needs ${each}${rest}${cut} ${where}, and the most there is ${most}${which}`,
  }
}

function over(fleet: Fleet, { options }: RequestClass): string {
  let withFree = 0
  for (const { nodeClass } of options) withFree += fleet.capacity.nodesWith(nodeClass, 0, 1)
  return withFree === 0 ? 'no GPU is free as a whole' : `scattered over ${nodes(withFree)}`
}

/** Said where the GPUs would do, were it not for CPU or memory. */
function lackingBeside(fleet: Fleet, { request }: RequestClass, minDepth: number): string | undefined {
  const { cpuMilli = 0, memoryMib = 0, ...bare } = request
  if (cpuMilli + memoryMib === 0) return undefined
  if (!place(fleet.capacity, fleet.classOf(bare), minDepth)) return undefined
  const wanted = [
    ...(cpuMilli > 0 ? [`${cpuMilli / 1000} CPUs`] : []),
    ...(memoryMib > 0 ? [`${Math.round(memoryMib / 102.4) / 10} GiB of memory`] : []),
  ].join(' and ')
  return `too few of their nodes have ${wanted} free beside them`
}

/** Thousandths of the GPU of which most is free. */
function largestPart({ capacity, tree }: Fleet, { options }: RequestClass): number {
  const classes = new Set(options.map(({ nodeClass }) => nodeClass))
  let largest = 0
  for (let n = 0; n < tree.nodeCount; n++) {
    if (!classes.has(tree.nodeClass[n]!) || capacity.closed[n] !== 0) continue
    for (let g = tree.gpuStart[n]!; g < tree.gpuStart[n + 1]!; g++)
      largest = Math.max(largest, capacity.gpuFree[g]!)
  }
  return largest
}

/** The domain that would hold most of the gang's nodes, in whole segments where it is cut, and how many. */
function mostTogether(
  { capacity, tree }: Fleet,
  { options, request, segmentDepth }: RequestClass,
  minDepth: number,
): { readonly nodes: number; readonly domain: number } {
  const size = request.segment?.nodes ?? 1
  let most = { nodes: 0, domain: 0 }
  const depth = Math.min(minDepth, tree.leafDepth)
  for (const { nodeClass, nodes: wanted, gpusPerNode, remainder } of options) {
    const inside = (domain: number): number => {
      if (
        segmentDepth === undefined ||
        segmentDepth > tree.leafDepth ||
        tree.domainDepth[domain]! >= segmentDepth
      )
        return Math.floor(capacity.nodesWith(nodeClass, domain, gpusPerNode) / size) * size
      let sum = 0
      for (let child = tree.firstChild[domain]!; child < tree.endChild[domain]!; child++) sum += inside(child)
      return sum
    }
    for (let domain = tree.depthStart[depth]!; domain < tree.depthStart[depth + 1]!; domain++) {
      const full = inside(domain)
      const further =
        remainder > 0 && full >= wanted ? capacity.nodesWith(nodeClass, domain, remainder) - wanted : 0
      const found = remainder > 0 ? Math.min(full, wanted) + Math.sign(further) : full
      if (found > most.nodes) most = { nodes: found, domain }
    }
  }
  return most
}
