import { describe, expect, it } from 'vitest'
import { formatHostlist, parseHostlist } from './hostlist.ts'

describe('a hostlist', () => {
  it.each([
    ['gpu-[001-003,140]', ['gpu-001', 'gpu-002', 'gpu-003', 'gpu-140']],
    ['a,b2', ['a', 'b2']],
    ['r[1-2]n[08-09]-ib', ['r1n08-ib', 'r1n09-ib', 'r2n08-ib', 'r2n09-ib']],
    ['n[9-11]', ['n9', 'n10', 'n11']],
    ['', []],
  ])('%s is read', (text, hosts) => {
    expect(parseHostlist(text)).toEqual({ ok: true, value: hosts })
  })

  it.each([
    [['gpu-001', 'gpu-003', 'gpu-002', 'gpu-140'], 'gpu-[001-003,140]'],
    [['n9', 'n10', 'n11', 'n11'], 'n[9-11]'],
    [['login', 'n1'], 'login,n1'],
    [['n01', 'n1'], 'n01,n1'],
    [[], ''],
  ])('of %o is printed', (hosts, text) => {
    expect(formatHostlist(hosts)).toBe(text)
  })

  it.each([
    ['gpu-[1-', 'does not close its bracket'],
    ['gpu-[5-3]', 'runs backwards'],
    ['gpu-[a-b]', 'neither a number nor a range'],
    ['a,,b', 'empty item'],
    ['n[1-999999999]', 'over 1000000 hosts'],
    ['n]', 'closes a bracket'],
  ])('%s is refused: %s', (text, why) => {
    const read = parseHostlist(text)
    expect(!read.ok && read.error).toContain(why)
  })
})
