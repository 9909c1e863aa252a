import type { NodeId } from '../../base/index.ts'
import { id } from '../../base/index.ts'
import type { NodeDescription } from '../../model/index.ts'
import { NODE_LEVEL } from '../../model/index.ts'

export interface PlainCluster {
  readonly levels: readonly string[]
  readonly nodes: readonly NodeDescription[]
}

/** Equal nodes under one switch: what a trace without a topology ran on. */
export function plainCluster(nodeCount: number, gpuCount: number, gpuModel = 'H100-80GB'): PlainCluster {
  const width = String(nodeCount - 1).length
  return {
    levels: ['site', NODE_LEVEL],
    nodes: Array.from({ length: nodeCount }, (_, i) => ({
      id: id<NodeId>(`node-${String(i).padStart(width, '0')}`),
      domains: ['site'],
      gpuModel,
      gpuCount,
      gpuMemoryBytes: 80e9,
      cpuCount: 96,
      memoryBytes: 2e12,
      nicCount: 8,
      address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
    })),
  }
}
