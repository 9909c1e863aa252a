import fc from 'fast-check'
import { expect, it } from 'vitest'
import { aGang } from './picture.ts'
import { RunHistory } from './run-history.ts'

it('[F1] predicts the median of the newest 48 runs of the user, also after it was written down and read', () => {
  const runs = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 5, maxLength: 200, size: 'max' })
  fc.assert(
    fc.property(runs, (ranMs) => {
      const gang = aGang('x', '1 node')
      const history = new RunHistory()
      for (const ms of ranMs) history.add(gang, ms)
      const newest = ranMs.slice(-48).sort((a, b) => a - b)
      const median = newest[newest.length >> 1]
      expect(history.predict(gang)).toBe(median)
      expect(history.clone().predict(gang)).toBe(median)
      expect(history.quantile(gang, 0, 0)).toBe(newest[0])
      expect(history.quantile(gang, 0, 0.999)).toBe(newest.at(-1))
    }),
  )
})
