import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonText } from './json-text.ts'

describe('the JSON text of an answer', () => {
  it('is what JSON.stringify writes, whatever is frozen, every time', () => {
    const item = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }))
    const items = fc.array(fc.oneof(item, item.map(Object.freeze)))
    const page = fc.record({ items, next: fc.string(), total: fc.nat() }, { requiredKeys: ['items'] })
    const answer = fc.oneof(fc.jsonValue(), page, page.map(Object.freeze))
    fc.assert(
      fc.property(answer, (value) => {
        const { items, ...rest } = Object(value)
        const inOrder = Array.isArray(items) ? { items, ...rest } : value
        expect(jsonText(value)).toBe(JSON.stringify(inOrder))
        expect(jsonText(value)).toBe(JSON.stringify(inOrder))
      }),
    )
  })

  it('follows what is not frozen', () => {
    const workload = { state: 'running' }
    expect(jsonText({ items: [workload] })).toBe('{"items":[{"state":"running"}]}')
    workload.state = 'succeeded'
    expect(jsonText({ items: [workload] })).toBe('{"items":[{"state":"succeeded"}]}')
  })
})
