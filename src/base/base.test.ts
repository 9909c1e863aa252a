import { describe, expect, it } from 'vitest'
import { canonicalJson, sameJson } from './canonical-json.ts'
import { randomStream } from './random.ts'

describe('sameJson', () => {
  it.each([
    [{ a: 1 }, { a: 1, b: 2 }],
    [[1], [1, 2]],
    [[], {}],
    [null, {}],
    [{ a: { b: [1] } }, { a: { b: [2] } }],
  ])('tells %j and %j apart', (a, b) => {
    expect([sameJson(a, b), sameJson(b, a)]).toEqual([false, false])
  })
})

describe('canonicalJson', () => {
  it('gives equal bytes for equal values, whatever the order of keys', () => {
    const a = {
      b: 1,
      a: [{ d: undefined, c: null }],
      m: new Map([
        ['z', 1],
        ['y', 2],
      ]),
    }
    const b = {
      m: new Map([
        ['y', 2],
        ['z', 1],
      ]),
      a: [{ c: null }],
      b: 1,
    }
    expect(canonicalJson(a)).toBe(canonicalJson(b))
    expect(canonicalJson(a)).toBe('{"a":[{"c":null}],"b":1,"m":{"y":2,"z":1}}')
  })
})

describe('randomStream', () => {
  it('repeats from its seed and name, and streams do not share numbers', () => {
    const draw = (seed: number, name: string) => {
      const stream = randomStream(seed, name)
      return Array.from({ length: 5 }, () => stream.next())
    }
    expect(draw(7, 'faults')).toEqual(draw(7, 'faults'))
    expect(draw(7, 'faults')).not.toEqual(draw(7, 'arrivals'))
    expect(draw(7, 'faults')).not.toEqual(draw(8, 'faults'))
  })

  it('gives streams of similar names beginnings that have nothing to do with each other', () => {
    const first = Array.from({ length: 1_000 }, (_, i) => randomStream(1, `replication ${i}`).next())
    const steps = first.slice(1).map((value, i) => Math.abs(value - (first[i] ?? 0)))
    // Of two uniform numbers the mean distance is a third.
    expect(steps.reduce((a, b) => a + b) / steps.length).toBeGreaterThan(0.3)
    expect(first.filter((value) => value < 0.1).length).toBeGreaterThan(70)
    expect(first.filter((value) => value < 0.1).length).toBeLessThan(130)
  })

  it('draws an exponential with the mean asked for', () => {
    const stream = randomStream(1, 'repair')
    const mean = Array.from({ length: 20_000 }, () => stream.exponential(30)).reduce((a, b) => a + b) / 20_000
    expect(mean).toBeGreaterThan(29)
    expect(mean).toBeLessThan(31)
  })
})
