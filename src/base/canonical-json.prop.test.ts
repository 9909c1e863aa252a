import fc from 'fast-check'
import { expect, it } from 'vitest'
import { canonicalJson, sameJson } from './canonical-json.ts'

it('says that two values are the same when their canonical JSON is', () => {
  const key = fc.constantFrom('a', 'b', 'c')
  const { plain } = fc.letrec<{ plain: unknown }>((tie) => ({
    plain: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(null, true, false, 0, 1, '', 'x', undefined),
      fc.array(
        tie('plain').map((value) => value ?? null),
        { maxLength: 2 },
      ),
      fc.dictionary(key, tie('plain'), { maxKeys: 3 }),
    ),
  }))
  const defined = plain.map((value) => value ?? null)
  fc.assert(
    fc.property(defined, defined, (a, b) => {
      expect(sameJson(a, b)).toBe(canonicalJson(a) === canonicalJson(b))
      expect(sameJson(a, JSON.parse(canonicalJson(a)))).toBe(true)
    }),
    { numRuns: 1000 },
  )
})
