import { describe, expect, it } from 'vitest'
import { id, type NodeId } from '../base/index.ts'
import type { NodeDescription } from '../model/index.ts'
import { gpuByName, machineByTemplate } from './gpu.ts'
import { machineOfNodes } from './live-machine.ts'

describe('gpuByName', () => {
  it.each([
    ['H100', 'H100-SXM-80'],
    ['h100-80gb', 'H100-SXM-80'],
    ['NVIDIA H100 80GB HBM3', 'H100-SXM-80'],
    ['NVIDIA A100-SXM4-40GB', 'A100-SXM-40'],
    ['A100', 'A100-SXM-80'],
    ['GB200', 'GB200-186'],
  ])('%s is %s', (name, gpu) => expect(gpuByName(name)).toMatchObject({ ok: true, value: { name: gpu } }))

  it('refuses what it does not know', () => {
    expect(gpuByName('TPUv4')).toMatchObject({ ok: false, error: expect.stringContaining('known are') })
  })
})

describe('machineByTemplate', () => {
  it('knows links and domains of a template', () => {
    expect(machineByTemplate('gb200-nvl72:18')).toMatchObject({
      ok: true,
      value: { gpuCount: 72, gpusPerNode: 4, nvlinkDomain: 72, nicBandwidth: 50e9 },
    })
    expect(machineByTemplate('p4de:2')).toMatchObject({
      ok: true,
      value: { gpuCount: 16, nicBandwidth: 6.25e9 },
    })
    expect(machineByTemplate('H100:4')).toMatchObject({ ok: true, value: { gpuCount: 32 } })
  })

  it.each(['nd-h100-v5', 'nd-h100-v5:0', 'cray:8'])('refuses %s', (text) => {
    expect(machineByTemplate(text).ok).toBe(false)
  })
})

describe('machineOfNodes', () => {
  const node = (name: string, gpuModel: string, gpuCount: number): NodeDescription => ({
    id: id<NodeId>(name),
    domains: ['site'],
    gpuModel,
    gpuCount,
    gpuMemoryBytes: 80e9,
    cpuCount: 96,
    memoryBytes: 1e12,
    nicCount: 8,
    address: name,
  })

  it('is what the most GPUs of a cluster make', () => {
    const nodes = [node('a', 'H100-80GB', 8), node('b', 'H100-80GB', 8), node('c', 'A100-40GB', 8)]
    expect(machineOfNodes(nodes)).toMatchObject({
      ok: true,
      value: { gpuCount: 16, gpusPerNode: 8, gpu: { name: 'H100-SXM-80' } },
    })
  })

  it('joins nodes of one NVLink domain where the cluster has that level', () => {
    const racks = [0, 0, 1].map((rack, i) => ({
      ...node(`n${i}`, 'GB200-192GB', 4),
      domains: ['s', `rack-${rack}`],
    }))
    expect(machineOfNodes(racks, ['site', 'nvlink', 'node'])).toMatchObject({
      value: { gpuCount: 12, gpusPerNode: 4, nvlinkDomain: 8 },
    })
    expect(machineOfNodes(racks, ['site', 'block', 'node'])).toMatchObject({ value: { nvlinkDomain: 4 } })
  })

  it('takes the GPUs that are wanted, by the beginning of their name', () => {
    const nodes = [node('a', 'H100-80GB', 8), node('b', 'H100-80GB', 8), node('c', 'A100-40GB', 8)]
    expect(machineOfNodes(nodes, [], ['a100'])).toMatchObject({
      value: { gpuCount: 8, gpu: { name: 'A100-SXM-40' } },
    })
    expect(machineOfNodes(nodes, [], ['B200'])).toMatchObject({
      error: expect.stringContaining('called B200'),
    })
  })

  it('says so when there are no GPUs to plan for', () => {
    expect(machineOfNodes([node('a', 'slot', 2)])).toMatchObject({
      ok: false,
      error: expect.stringContaining('nd-h100-v5:64'),
    })
    expect(machineOfNodes([]).ok).toBe(false)
  })
})
