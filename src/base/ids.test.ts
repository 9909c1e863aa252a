import { describe, expect, it } from 'vitest'
import { compareIds } from './ids.ts'

describe('compareIds', () => {
  it('orders numbers inside ids by value', () => {
    expect(['w10', 'w2', 'w1'].sort(compareIds)).toEqual(['w1', 'w2', 'w10'])
    expect(['w1.10', 'w1.9', 'w1'].sort(compareIds)).toEqual(['w1', 'w1.9', 'w1.10'])
    expect(['gpu-2-b', 'gpu-10-a', 'gpu-2-a'].sort(compareIds)).toEqual(['gpu-2-a', 'gpu-2-b', 'gpu-10-a'])
  })

  it('is a total order: equal only for equal text, even with leading zeros', () => {
    expect(compareIds('n01', 'n1')).not.toBe(0)
    expect(compareIds('n1', 'n1')).toBe(0)
    expect(Math.sign(compareIds('n01', 'n1'))).toBe(-Math.sign(compareIds('n1', 'n01')))
  })
})
