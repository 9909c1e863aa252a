import { expect, test } from 'vitest'
import type { MachineAttemptView, MachineView } from '../../../api/wire/machine.ts'
import { find } from './finding.ts'
import { layoutOf } from './layout.ts'
import { FREE, gpuIndices, MachineModel, OTHERS } from './machine-model.ts'

function anAttempt(id: string, more: Partial<MachineAttemptView> = {}): MachineAttemptView {
  const workload = id.split('.')[0] ?? id
  return {
    id,
    workload,
    name: `job-${workload}`,
    type: 'train',
    priority: 'normal',
    state: 'running',
    owner: { organisation: 'acme', team: 'acme/red', user: 'ann' },
    gpus: 8,
    ...more,
  }
}

/** Two pods of two blocks of three nodes with eight GPUs. */
function aMachine(): MachineView {
  const domains = ['p1', 'p2'].flatMap((pod) => ['b1', 'b2'].map((block) => ['s', pod, `${pod}-${block}`]))
  return {
    revision: 1,
    at: 1,
    levels: ['site', 'pod', 'block', 'node'],
    domains,
    kinds: [{ gpuModel: 'H100', gpuCount: 8, gpuMemoryBytes: 80e9 }],
    nodes: Array.from({ length: 12 }, (_, i) => ({
      id: `n${i}`,
      domain: Math.floor(i / 3),
      kind: 0,
      state: 'ready' as const,
      held: i === 0 ? [{ attempt: 'w1.1', gpus: '0-7' }] : i === 1 ? [{ gpus: '0-3' }] : [],
    })),
    attempts: [anAttempt('w1.1')],
  }
}

test('ranges of GPUs are read', () => {
  expect(gpuIndices('0-3,6')).toEqual([0, 1, 2, 3, 6])
  expect(gpuIndices('')).toEqual([])
})

test('each GPU has its holder, others are without a name, and changes replace rows', () => {
  const model = new MachineModel(aMachine())
  expect([...model.holder.subarray(0, 16)]).toEqual([
    ...Array(8).fill(0),
    ...Array(4).fill(OTHERS),
    ...Array(4).fill(FREE),
  ])
  model.apply({
    revision: 2,
    at: 2,
    attempts: [anAttempt('w2.1', { gpus: 0.5 })],
    nodes: [
      { ...aMachine().nodes[0]!, held: [] },
      { ...aMachine().nodes[5]!, state: 'down', held: [{ attempt: 'w2.1', gpus: '7', milliGpus: 500 }] },
    ],
    ended: ['w1.1'],
  })
  expect(model.holder[0]).toBe(FREE)
  expect(model.slots[model.holder[47]!]?.id).toBe('w2.1')
  expect(model.heldMilli[47]).toBe(500)
  expect(model.nodes[5]?.state).toBe('down')
  // The slot of the one that ended is used again, and never by two.
  const again = { revision: 3, at: 3, attempts: [anAttempt('w3.1')], nodes: [], ended: [] }
  model.apply(again)
  expect(model.slots.flatMap((attempt) => attempt?.id ?? []).sort()).toEqual(['w2.1', 'w3.1'])
  expect(model.slots.length).toBe(2)
})

test('the node of a GPU is found at both ends', () => {
  const model = new MachineModel(aMachine())
  expect([0, 7, 8, 95].map((gpu) => model.nodeOfGpu(gpu))).toEqual([0, 0, 1, 11])
})

test.each([[[]], [['s']], [['s', 'p1']], [['s', 'p1', 'p1-b2']]])(
  'within %j every GPU has a pixel of its own and no two nodes touch',
  (within: string[]) => {
    const model = new MachineModel(aMachine())
    const layout = layoutOf(model, { within, aspect: 1.6, headPixels: 2 })
    expect(layout.shown.length).toBe(within.length < 2 ? 12 : within.length === 2 ? 6 : 3)
    const seen = new Set<number>()
    for (const node of layout.shown) {
      for (let gpu = model.firstGpu[node]!; gpu < model.firstGpu[node + 1]!; gpu++) {
        const pixel = layout.gpuPixel[gpu]!
        expect(pixel).toBeGreaterThanOrEqual(0)
        expect(pixel).toBeLessThan(layout.width * layout.height)
        expect(layout.gpuAt[pixel]).toBe(gpu)
        seen.add(pixel)
        const right = layout.gpuAt[pixel + 1] ?? -1
        if ((pixel + 1) % layout.width !== 0 && right >= 0) expect(model.nodeOfGpu(right)).toBe(node)
      }
    }
    expect(seen.size).toBe(layout.shown.length * 8)
  },
)

test('a search lights up a workload where it stands, with the domains that it spans', () => {
  const model = new MachineModel(aMachine())
  expect(find(model, ' ')).toBeUndefined()
  expect(find(model, 'JOB-w1')).toMatchObject({
    gpus: 8,
    nodes: [0],
    workloads: ['w1'],
    spans: [
      { level: 'site', count: 1 },
      { level: 'pod', count: 1 },
      { level: 'block', count: 1 },
    ],
  })
  expect(find(model, 'p2-b1')?.nodes).toEqual([6, 7, 8])
  expect(find(model, 'nobody')?.gpus).toBe(0)
})
