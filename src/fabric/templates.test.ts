import { describe, expect, it } from 'vitest'
import { present } from '../base/index.ts'
import { CLUSTER_TEMPLATES } from './known-machines.ts'
import { clusterOf, clusterTemplate } from './templates.ts'

describe.each(CLUSTER_TEMPLATES)('$name', (template) => {
  it.each([1, 2, 33, 1000])('has %i nodes, each with a name for every level above it', (count) => {
    const { cluster, nodes } = clusterOf(template, count)
    expect(new Set(nodes.map(({ id }) => id)).size).toBe(count)
    for (const node of nodes) expect(node.domains).toHaveLength(cluster.levels.length - 1)
  })

  it('fills its innermost domains one after the other', () => {
    const innermost = template.levels.at(-1)!
    const { nodes } = clusterOf(template, innermost.holds + 1)
    const counts = new Map<string, number>()
    for (const { domains } of nodes) counts.set(domains.at(-1)!, (counts.get(domains.at(-1)!) ?? 0) + 1)
    expect([...counts.values()]).toEqual([innermost.holds, 1])
  })
})

describe('known machines', () => {
  it('has 72 GPUs in one NVLink domain of a GB200 NVL72', () => {
    const { nodes } = clusterOf(present(clusterTemplate('gb200-nvl72'), 'template'), 18)
    expect(new Set(nodes.map(({ domains }) => domains.join('/'))).size).toBe(1)
    expect(nodes.reduce((gpus, node) => gpus + node.gpuCount, 0)).toBe(72)
  })

  it('has a rail for each GPU of an ND H100 v5', () => {
    const { node } = present(clusterTemplate('nd-h100-v5'), 'template')
    expect(node.nicCount).toBe(node.gpuCount)
  })
})
