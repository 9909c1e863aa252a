import { ok, type Result, refuse } from '../base/index.ts'
import type { NodeDescription } from '../model/index.ts'
import { gpuByName, type Machine, machineOf } from './gpu.ts'

/** The level whose domains are NVLink domains of several nodes. */
const NVLINK_LEVEL = 'nvlink'

/**
 * The machine that a cluster's nodes make: those of the GPU model that has most GPUs, of `models` where these are named (the
 * beginning of a name is enough). An NVLink domain is a node, or a domain of the level `nvlink` where `levels` have it; the
 * network is what the GPU usually comes with.
 */
export function machineOfNodes(
  nodes: readonly NodeDescription[],
  levels: readonly string[] = [],
  models?: readonly string[],
): Result<Machine, string> {
  const isWanted = ({ gpuModel }: NodeDescription) =>
    !models || models.some((name) => gpuModel.toLowerCase().startsWith(name.toLowerCase()))
  const byModel = new Map<string, NodeDescription[]>()
  for (const node of nodes.filter(isWanted)) {
    if (node.gpuCount === 0) continue
    const same = byModel.get(node.gpuModel)
    if (same) same.push(node)
    else byModel.set(node.gpuModel, [node])
  }
  let most: readonly NodeDescription[] = []
  for (const group of byModel.values()) if (gpusOf(group) > gpusOf(most)) most = group
  const [first] = most
  if (!first) {
    return refuse(
      `the cluster has no GPUs${models ? ` called ${models.join(' or ')}` : ''}; name another cluster to plan for, such as nd-h100-v5:64`,
    )
  }
  const gpu = gpuByName(first.gpuModel)
  if (!gpu.ok) return refuse(`${gpu.error}; name another cluster to plan for, such as nd-h100-v5:64`)
  const gpusPerNode = Math.max(...most.map(({ gpuCount }) => gpuCount))
  const nvlinkDomain = Math.max(gpusPerNode, largestDomain(most, levels.indexOf(NVLINK_LEVEL)))
  return ok(machineOf(gpu.value, gpusOf(most), { gpusPerNode, nvlinkDomain }))
}

function gpusOf(nodes: readonly NodeDescription[]): number {
  return nodes.reduce((sum, { gpuCount }) => sum + gpuCount, 0)
}

/** GPUs of the largest domain at this place of the levels; none where the cluster lacks the level. */
function largestDomain(nodes: readonly NodeDescription[], level: number): number {
  if (level < 0) return 0
  const sizes = new Map<string, number>()
  for (const { domains, gpuCount } of nodes) {
    const name = domains.slice(0, level + 1).join('/')
    sizes.set(name, (sizes.get(name) ?? 0) + gpuCount)
  }
  return Math.max(...sizes.values())
}
