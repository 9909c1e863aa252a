import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Heap } from './heap.ts'

it('gives the same order as sorting, under any mix of pushes and pops', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { nil: undefined })), (operations) => {
      const heap = new Heap<number>((a, b) => a - b)
      let slow: number[] = []
      for (const pushed of operations) {
        if (pushed === undefined) {
          slow = slow.sort((a, b) => a - b)
          expect(heap.pop()).toBe(slow.shift())
        } else {
          heap.push(pushed)
          slow.push(pushed)
        }
        expect(heap.size).toBe(slow.length)
        expect(heap.peek()).toBe(slow.length > 0 ? Math.min(...slow) : undefined)
      }
    }),
  )
})
