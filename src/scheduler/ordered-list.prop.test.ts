import fc from 'fast-check'
import { expect, it } from 'vitest'
import { OrderedList } from './ordered-list.ts'

it('is the sorted list of what was inserted and not taken, however long and whoever is taken', () => {
  const operation = fc.oneof(
    { weight: 3, arbitrary: fc.record({ insert: fc.nat(10_000) }) },
    { weight: 2, arbitrary: fc.constant({ take: 0 }) },
    { weight: 1, arbitrary: fc.record({ take: fc.nat(400) }) },
  )
  const atFirst = fc.integer({ min: 0, max: 300 })
  fc.assert(
    fc.property(atFirst, fc.array(operation, { maxLength: 600, size: 'max' }), (count, operations) => {
      const list = new OrderedList<number>((a, b) => a - b)
      let slow: number[] = []
      const insert = (item: number) => {
        if (slow.includes(item)) return
        list.insert(item)
        slow = [...slow, item].sort((a, b) => a - b)
      }
      for (let i = 0; i < count; i++) insert(i * 30)
      for (const each of operations) {
        if ('insert' in each) insert(each.insert)
        else if (slow.length > 0) {
          const at = each.take % slow.length
          expect(list.placeOf(slow[at]!)).toBe(at)
          list.take(slow[at]!)
          slow.splice(at, 1)
        }
        expect(list.length).toBe(slow.length)
        expect(list.at(0)).toBe(slow[0])
      }
      expect([...list]).toEqual(slow)
      expect(list.placeOf(5_000.5)).toBe(slow.filter((item) => item < 5_000.5).length)
    }),
  )
})
