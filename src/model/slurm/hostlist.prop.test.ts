import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatHostlist, parseHostlist } from './hostlist.ts'

const host = fc
  .tuple(
    fc.constantFrom('gpu-', 'n', 'rack1-node', 'dgx', ''),
    fc.constantFrom(0, 2, 3, 5),
    fc.nat(1200),
    fc.constantFrom('', '-ib', 'x'),
  )
  .map(([prefix, width, number, suffix]) => `${prefix}${String(number).padStart(width, '0')}${suffix}`)
const hosts = fc.array(fc.oneof(host, fc.constantFrom('login', 'head-a')), { maxLength: 60 })

test('whatever hosts are printed read back as the same hosts, each once', () => {
  fc.assert(
    fc.property(hosts, (names) => {
      const read = parseHostlist(formatHostlist(names))
      expect(read.ok && [...read.value].sort()).toEqual([...new Set(names)].sort())
    }),
  )
})

test('what was printed does not get shorter or other by printing it again', () => {
  fc.assert(
    fc.property(hosts, (names) => {
      const once = formatHostlist(names)
      const read = parseHostlist(once)
      expect(read.ok && formatHostlist(read.value)).toBe(once)
    }),
  )
})

test('no text makes the reader fail in another way than by saying what is wrong', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '0', '-', '[', ']', ',', '1', '9', ' ') }), (text) => {
      const read = parseHostlist(text)
      if (!read.ok) expect(read.error).toMatch(/hostlist ".*"/)
    }),
  )
})
