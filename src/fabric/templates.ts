import type { NodeId } from '../base/index.ts'
import { id } from '../base/index.ts'
import type { ClusterDescription, NodeDescription } from '../model/index.ts'
import { NODE_LEVEL } from '../model/index.ts'
import type { ClusterTemplate } from './cluster-template.ts'
import type { FabricCapacity } from './fabric.ts'
import { CLUSTER_TEMPLATES } from './known-machines.ts'

/** A cluster made from a template. */
export interface TemplateCluster {
  readonly cluster: ClusterDescription
  readonly nodes: readonly NodeDescription[]
  readonly fabric: FabricCapacity
}

/** The template of this name, whatever its case and punctuation. */
export function clusterTemplate(name: string): ClusterTemplate | undefined {
  return CLUSTER_TEMPLATES.find((template) => plain(template.name) === plain(name))
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
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
