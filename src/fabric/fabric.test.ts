import { describe, expect, it } from 'vitest'
import { id } from '../base/index.ts'
import type { NodeDescription } from '../model/index.ts'
import { buildFabric, route } from './fabric.ts'
import { linkLoads, maxMinShares } from './max-min.ts'
import { trafficOf } from './traffic.ts'

const LEVELS = ['pod', 'block', 'node']

/** Two pods of two blocks of four nodes. */
function nodes(): NodeDescription[] {
  return Array.from({ length: 16 }, (_, i) => ({
    id: id(`n${i}`),
    domains: [`p${i >> 3}`, `b${i >> 2}`],
    gpuModel: 'H100-80GB',
    gpuCount: 8,
    gpuMemoryBytes: 80e9,
    cpuCount: 96,
    memoryBytes: 2e12,
    nicCount: 8,
    address: '',
  }))
}
const fabric = buildFabric(LEVELS, nodes(), { nodeBytesPerSecond: 100, oversubscription: { pod: 4 } })
const named = (links: readonly number[]) => links.map((link) => fabric.linkNames[link])

describe('buildFabric', () => {
  it('gives each domain an uplink as wide as its nodes over its oversubscription', () => {
    const width = (name: string) => fabric.capacity[fabric.linkNames.indexOf(name)]
    expect([width('n3'), width('p0/b1'), width('p1')]).toEqual([100, 400, 200])
  })

  it('routes up to where two nodes meet, and down again', () => {
    expect(named(route(fabric, 0, 1))).toEqual(['n0', 'n1'])
    expect(named(route(fabric, 0, 5))).toEqual(['n0', 'p0/b0', 'p0/b1', 'n5'])
    expect(named(route(fabric, 15, 0))).toEqual(['n15', 'p1/b3', 'p1', 'p0', 'p0/b0', 'n0'])
    expect(route(fabric, 3, 3)).toEqual([])
  })
})

describe('trafficOf', () => {
  it('crosses each border of a ring with the rate of one node', () => {
    const demand = trafficOf(fabric, [0, 1, 4], 'ring')
    expect(named(demand.map(({ link }) => link))).toEqual(['n0', 'n1', 'n4', 'p0/b0', 'p0/b1'])
    expect(new Set(demand.map(({ bytesPerSecond }) => bytesPerSecond))).toEqual(new Set([100]))
  })

  it('sends in an all-to-all as much across a border as the pairs on its two sides', () => {
    const across = trafficOf(fabric, [0, 1, 4], 'all-to-all').map(({ bytesPerSecond }) => bytesPerSecond)
    expect(across).toEqual([100, 100, 100, 100, 100])
    const even = trafficOf(fabric, [0, 1, 2, 3, 8, 9, 10, 11], 'all-to-all')
    const pod = even.find(({ link }) => fabric.linkNames[link] === 'p0')
    expect(pod?.bytesPerSecond).toBeCloseTo((100 * 4 * 4) / 7)
  })

  it('is nothing for a gang of one node', () => {
    expect(trafficOf(fabric, [3], 'all-to-all')).toEqual([])
  })
})

describe('maxMinShares', () => {
  it('lets a gang that shares no narrow link run in full, and halves two that meet on one', () => {
    const wide = trafficOf(fabric, [0, 1, 2, 3], 'ring')
    const a = trafficOf(fabric, [0, 1, 2, 3, 8, 9, 10, 11], 'all-to-all')
    const b = trafficOf(fabric, [4, 5, 6, 7, 12, 13, 14, 15], 'all-to-all')
    expect([...maxMinShares([wide], fabric.capacity)]).toEqual([1])
    const alone = maxMinShares([a], fabric.capacity)[0]!
    expect(alone).toBeCloseTo(200 / ((100 * 16) / 7))
    const shares = maxMinShares([a, b], fabric.capacity)
    expect(shares[0]).toBeCloseTo(alone / 2)
    expect(shares[1]).toBeCloseTo(alone / 2)
    const loads = linkLoads([a, b], shares, fabric.linkNames.length)
    expect(loads[fabric.linkNames.indexOf('p0')]).toBeCloseTo(200)
  })
})
