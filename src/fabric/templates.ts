import type { NodeId } from '../base/index.ts'
import { id } from '../base/index.ts'
import type { ClusterDescription, NodeDescription } from '../model/index.ts'
import { NODE_LEVEL } from '../model/index.ts'
import type { FabricCapacity } from './fabric.ts'

/** A kind of machine that is built the same at any size. */
export interface ClusterTemplate {
  readonly name: string
  /** What it is, with the source of its figures. */
  readonly description: string
  /** Levels under `site`, outermost first, each with how many of the next inner one it holds; the innermost holds nodes. */
  readonly levels: readonly { readonly level: string; readonly holds: number }[]
  readonly node: Omit<NodeDescription, 'id' | 'domains' | 'address'>
  readonly fabric: FabricCapacity
}

/** A cluster made from a template. */
export interface TemplateCluster {
  readonly cluster: ClusterDescription
  readonly nodes: readonly NodeDescription[]
  readonly fabric: FabricCapacity
}

const GIB = 2 ** 30
const GBIT = 1e9 / 8

/**
 * A block is the nodes under one rail group of leaf switches: half the ports of a leaf go down, so 20 nodes with
 * 40-port HDR switches and 32 with 64-port NDR switches. A pod is what a two-tier fat tree of them carries.
 */
export const CLUSTER_TEMPLATES: readonly ClusterTemplate[] = [
  {
    name: 'nd-a100-v4',
    description:
      'Azure ND A100 v4: 8 A100 40 GB, 96 vCPU, 900 GiB, 8 HDR rails of 200 Gb/s (Azure documentation)',
    levels: [
      { level: 'pod', holds: 40 },
      { level: 'block', holds: 20 },
    ],
    node: {
      gpuModel: 'A100-40GB',
      gpuCount: 8,
      gpuMemoryBytes: 40 * GIB,
      cpuCount: 96,
      memoryBytes: 900 * GIB,
      nicCount: 8,
    },
    fabric: { nodeBytesPerSecond: 8 * 200 * GBIT, oversubscription: {} },
  },
  {
    name: 'nd-h100-v5',
    description:
      'Azure ND H100 v5: 8 H100 80 GB, 96 vCPU, 1,900 GiB, 8 NDR rails of 400 Gb/s (Azure documentation)',
    levels: [
      { level: 'pod', holds: 64 },
      { level: 'block', holds: 32 },
    ],
    node: {
      gpuModel: 'H100-80GB',
      gpuCount: 8,
      gpuMemoryBytes: 80 * GIB,
      cpuCount: 96,
      memoryBytes: 1900 * GIB,
      nicCount: 8,
    },
    fabric: { nodeBytesPerSecond: 8 * 400 * GBIT, oversubscription: {} },
  },
  {
    name: 'dgx-superpod',
    description:
      'DGX SuperPOD of DGX H100: scalable units of 32 nodes, 4 in a two-tier pod, 112 cores, 2 TiB, 8 NDR rails of 400 Gb/s (NVIDIA reference architecture)',
    levels: [
      { level: 'pod', holds: 4 },
      { level: 'block', holds: 32 },
    ],
    node: {
      gpuModel: 'H100-80GB',
      gpuCount: 8,
      gpuMemoryBytes: 80 * GIB,
      cpuCount: 112,
      memoryBytes: 2048 * GIB,
      nicCount: 8,
    },
    fabric: { nodeBytesPerSecond: 8 * 400 * GBIT, oversubscription: {} },
  },
  {
    name: 'gb200-nvl72',
    description:
      'GB200 NVL72: trays of 4 GPUs, 18 trays in one NVLink domain, 8 racks in a scalable unit, 144 cores, 960 GiB, 4 NICs of 400 Gb/s a tray (NVIDIA DGX SuperPOD GB200 reference architecture)',
    levels: [
      { level: 'pod', holds: 16 },
      { level: 'block', holds: 8 },
      { level: 'nvlink', holds: 18 },
    ],
    node: {
      gpuModel: 'GB200-192GB',
      gpuCount: 4,
      gpuMemoryBytes: 192 * GIB,
      cpuCount: 144,
      memoryBytes: 960 * GIB,
      nicCount: 4,
    },
    fabric: { nodeBytesPerSecond: 4 * 400 * GBIT, oversubscription: {} },
  },
]

export function clusterTemplate(name: string): ClusterTemplate | undefined {
  return CLUSTER_TEMPLATES.find((template) => template.name === name)
}

/** A cluster of this many nodes: its innermost domains are filled one after the other, so only the last may be smaller. */
export function clusterOf(template: ClusterTemplate, nodeCount: number): TemplateCluster {
  const { levels, node, fabric, name } = template
  const digits = String(nodeCount).length
  const nodes = Array.from({ length: nodeCount }, (_, n): NodeDescription => {
    const domains: string[] = []
    let index = n
    for (const { level, holds } of [...levels].reverse()) {
      index = Math.floor(index / holds)
      domains.unshift(`${level}-${index + 1}`)
    }
    const nodeId = `node-${String(n + 1).padStart(digits, '0')}`
    return { ...node, id: id<NodeId>(nodeId), domains: ['site-1', ...domains], address: nodeId }
  })
  const cluster = { name, levels: ['site', ...levels.map(({ level }) => level), NODE_LEVEL] }
  return { cluster, nodes, fabric }
}
