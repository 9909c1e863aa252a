import { parse } from 'yaml'
import { ok, type Result, refuse } from '../../base/index.ts'
import { parseHostlist } from './hostlist.ts'
import { parseTopologyConf, type Switch } from './switch-tree.ts'

/** The switches of a topology.conf, or of a topology.yaml (Slurm 25.05 and newer), of which the default or first counts. */
export function parseTopology(text: string): Result<Switch[], string> {
  return /^(?:---\s*\n)?\s*-\s+topology:/m.test(text) ? parseTopologyYaml(text) : parseTopologyConf(text)
}

type Fields = Readonly<Record<string, unknown>>

function parseTopologyYaml(text: string): Result<Switch[], string> {
  let document: unknown
  try {
    document = parse(text)
  } catch (error) {
    return refuse(`the topology is no YAML: ${(error as Error).message.split('\n')[0]}`)
  }
  const topologies = (Array.isArray(document) ? document : []) as Fields[]
  const chosen = topologies.find((one) => one.cluster_default === true) ?? topologies[0]
  const tree = (chosen?.tree as Fields | undefined)?.switches
  const blocks = (chosen?.block as Fields | undefined)?.blocks
  const items = [...listOf(tree), ...listOf(blocks)]
  if (items.length === 0)
    return chosen?.flat === true ? ok([]) : refuse('the topology has neither tree nor block')
  const switches: Switch[] = []
  for (const item of items) {
    const name = textOf(item.switch ?? item.block)
    const [nodes, below] = [item.nodes, item.children].map((list) => parseHostlist(textOf(list)))
    if (!nodes?.ok) return refuse(`switch ${name}: ${nodes?.error}`)
    if (!below?.ok) return refuse(`switch ${name}: ${below?.error}`)
    switches.push({ name, nodes: nodes.value, switches: below.value })
  }
  return ok(switches)
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? (value as Fields[]) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
