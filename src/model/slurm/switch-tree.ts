import { ok, type Result, refuse } from '../../base/index.ts'
import { parseHostlist } from './hostlist.ts'

/** A switch or block of Slurm's topology with what hangs below it. */
export interface Switch {
  readonly name: string
  readonly nodes: readonly string[]
  readonly switches: readonly string[]
}

/** The levels of a cluster and the domains around each node, outermost first. */
export interface SlurmTopology {
  readonly levels: readonly string[]
  readonly domainsOf: (node: string) => readonly string[]
}

/** Names of the levels above the node from the inside out; deeper trees get numbers. */
const LEVEL_NAMES = ['block', 'pod', 'site', 'region']
/** Where nodes stand that the topology does not name. */
const NOWHERE = 'unconnected'

/**
 * The switches of a topology.conf (tree or block) or of what `scontrol show topology` prints, which has the same
 * words; or the first line that is not understood.
 */
export function parseTopologyConf(text: string): Result<Switch[], string> {
  const switches: Switch[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.replace(/#.*/, '').trim()
    if (words === '') continue
    const fields = new Map(
      words.split(/\s+/).map((word): [string, string] => {
        const [key = '', ...value] = word.split('=')
        return [key.toLowerCase(), value.join('=')]
      }),
    )
    if (fields.has('blocksizes')) continue
    const name = fields.get('switchname') ?? fields.get('blockname')
    if (name === undefined) return refuse(`line ${index + 1} of the topology names no switch: "${words}"`)
    const names = parseHostlist(name)
    // The tree plugin prints the nodes of all switches below; a switch over switches has none of its own.
    const below = parseHostlist(fields.get('switches') ?? '')
    const nodes = below.ok && below.value.length > 0 ? ok([]) : parseHostlist(fields.get('nodes') ?? '')
    for (const list of [names, below, nodes]) {
      if (!list.ok) return refuse(`line ${index + 1} of the topology: ${list.error}`)
    }
    if (!names.ok || !below.ok || !nodes.ok) continue
    for (const one of names.value) switches.push({ name: one, nodes: nodes.value, switches: below.value })
  }
  return ok(switches)
}

/** Makes a tree of equal depth of the switches; `cluster` names the root where Slurm names none. */
export function topologyOf(switches: readonly Switch[], cluster: string): SlurmTopology {
  const parentOf = new Map<string, string>()
  for (const { name, switches: below } of switches) for (const child of below) parentOf.set(child, name)
  const leafOf = new Map<string, string>()
  for (const { name, nodes } of switches) for (const node of nodes) leafOf.set(node, name)
  const pathOf = (leaf: string): string[] => {
    const path = [leaf]
    for (let at = parentOf.get(leaf); at !== undefined && !path.includes(at); at = parentOf.get(at))
      path.unshift(at)
    return path
  }
  const paths = new Map([...new Set(leafOf.values())].map((leaf) => [leaf, pathOf(leaf)]))
  const depth = Math.max(0, ...[...paths.values()].map((path) => path.length))
  const roots = new Set([...paths.values()].map(([root]) => root))
  const hasRoot = depth > 1 && roots.size === 1
  const height = hasRoot ? depth : depth + 1
  const levels = Array.from({ length: height }, (_, up) => LEVEL_NAMES[up] ?? `level${up + 1}`).reverse()
  if (depth === 0) return { levels: ['site', 'node'], domainsOf: () => [cluster] }
  return {
    levels: [...levels, 'node'],
    domainsOf: (node) => {
      const path = paths.get(leafOf.get(node) ?? '') ?? []
      const padded = [...path, ...Array<string>(depth - path.length).fill(path.at(-1) ?? NOWHERE)]
      return hasRoot && path.length > 0
        ? padded
        : hasRoot
          ? [[...roots][0]!, ...padded.slice(1)]
          : [cluster, ...padded]
    },
  }
}
