import fc from 'fast-check'
import { expect, it } from 'vitest'
import { linkLoads, maxMinShares } from './max-min.ts'

it('no link carries more than it can, and whoever gets less than all crosses a full link where nobody gets more', () => {
  const gang = fc.uniqueArray(
    fc.record({ link: fc.nat(7), bytesPerSecond: fc.integer({ min: 1, max: 50 }) }),
    {
      maxLength: 5,
      selector: ({ link }) => link,
    },
  )
  const capacities = fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(fc.array(gang, { maxLength: 9 }), capacities, (demands, capacity) => {
      const shares = maxMinShares(demands, capacity)
      const loads = linkLoads(demands, shares, 8)
      for (const [link, load] of loads.entries())
        expect(load).toBeLessThanOrEqual(capacity[link]! * (1 + 1e-9))
      demands.forEach((links, g) => {
        if (shares[g]! > 1 - 1e-9) return
        const bottleneck = links.some(({ link }) => {
          const others = demands.flatMap((crossed, o) =>
            crossed.some((d) => d.link === link) ? [shares[o]!] : [],
          )
          return loads[link]! > capacity[link]! * (1 - 1e-9) && Math.max(...others) <= shares[g]! + 1e-9
        })
        expect(bottleneck).toBe(true)
      })
    }),
    { numRuns: 500 },
  )
})
