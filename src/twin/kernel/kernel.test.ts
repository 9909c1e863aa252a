import { describe, expect, it } from 'vitest'
import { randomStream } from '../../base/index.ts'
import { Agenda } from './agenda.ts'
import { logNormal, normal, weibull, weighted } from './distributions.ts'
import { Streams } from './streams.ts'
import { TraceHash } from './trace-hash.ts'

describe('Agenda', () => {
  it('[T1] refuses to plan into the past', () => {
    const agenda = new Agenda<string>()
    agenda.plan(10, 0, 'a')
    agenda.take()
    expect(() => agenda.plan(9, 0, 'b')).toThrow(/planned at 9 us/)
    expect(() => agenda.plan(10.5, 0, 'b')).toThrow(/10.5/)
  })
})

describe('Streams', () => {
  it('[T2] gives the numbers of base, and goes on after being written down', () => {
    const streams = new Streams(7)
    const twin = randomStream(7, 'faults')
    expect([1, 2, 3].map(() => streams.named('faults').next())).toEqual([1, 2, 3].map(() => twin.next()))
    const resumed = new Streams(7)
    resumed.named('faults').next()
    resumed.load(JSON.parse(JSON.stringify(streams.record())))
    expect(resumed.named('faults').next()).toBe(twin.next())
    expect(resumed.named('other').next()).toBe(randomStream(7, 'other').next())
  })
})

describe('TraceHash', () => {
  it('[T3] tells order, numbers above 32 bits and texts apart, and goes on from its record', () => {
    const digests = new Set<string>()
    for (const words of [[1, 2], [2, 1], [1, 2 ** 33 + 2], [1, 2 ** 34 + 2], [3]]) {
      const hash = new TraceHash()
      for (const word of words) hash.number(word)
      digests.add(hash.digest())
      const resumed = new TraceHash(...hash.record())
      resumed.text('w1.2')
      hash.text('w1.2')
      expect(resumed.digest()).toBe(hash.digest())
      digests.add(hash.digest())
    }
    expect(digests.size).toBe(10)
  })
})

describe('distributions', () => {
  const draws = (draw: () => number) => Array.from({ length: 40_000 }, draw).sort((a, b) => a - b)
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length

  it('have the moments that their names promise', () => {
    const random = randomStream(3, 'draws')
    const normals = draws(() => normal(random))
    expect(mean(normals)).toBeCloseTo(0, 1)
    expect(mean(normals.map((x) => x * x))).toBeCloseTo(1, 1)
    expect(draws(() => logNormal(random, 60, 2))[20_000]! / 60).toBeCloseTo(1, 1)
    expect(mean(draws(() => weibull(random, 10, 1))) / 10).toBeCloseTo(1, 1)
    const heads = draws(() => weighted(random, [0, 1], (side) => (side === 1 ? 3 : 1)))
    expect(mean(heads)).toBeCloseTo(0.75, 1)
  })
})
