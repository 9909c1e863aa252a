import { ok, type Result, refuse } from '../base/index.ts'
import type { NodeDescription } from '../model/index.ts'
import { gpuByName, type Machine, machineOf } from './gpu.ts'

/** The machine that a cluster's nodes make: those of the GPU model that has most GPUs, with links as its data sheet has them. */
export function machineOfNodes(nodes: readonly NodeDescription[]): Result<Machine, string> {
  const counts = new Map<string, { gpus: number; perNode: number }>()
  for (const { gpuModel, gpuCount } of nodes) {
    const known = counts.get(gpuModel) ?? { gpus: 0, perNode: 0 }
    counts.set(gpuModel, { gpus: known.gpus + gpuCount, perNode: Math.max(known.perNode, gpuCount) })
  }
  let most: { model: string; gpus: number; perNode: number } | undefined
  for (const [model, count] of counts) if (count.gpus > (most?.gpus ?? 0)) most = { model, ...count }
  if (!most)
    return refuse('the cluster has no GPUs; name a cluster to plan for with --cluster TEMPLATE:NODES')
  const gpu = gpuByName(most.model)
  if (!gpu.ok) return refuse(`${gpu.error}; name a cluster to plan for with --cluster TEMPLATE:NODES`)
  return ok(machineOf(gpu.value, most.gpus, { gpusPerNode: most.perNode }))
}
