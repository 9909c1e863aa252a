import { describe, expect, it } from 'vitest'
import { aProject } from '../project.ts'
import { purity } from './purity.ts'

const found = (text: string, path = 'src/control/a.ts') =>
  purity(aProject({ [path]: text })).map(({ message }) => message)

describe('purity', () => {
  it.each([
    ['async function f() {}', 'synchronous'],
    ['const f = async () => 1', 'synchronous'],
    ['const o = { async f() {} }', 'synchronous'],
    ['const x = await f()', 'let the server run them'],
    ['for await (const x of xs) {}', 'whole collection'],
    ['function f(): Promise<void> { return g() }', 'Promise: pure rooms never wait'],
    ["const m = () => import('./b.ts')", 'import at the top'],
    ['const now = Date.now()', 'Date.now: take `now` (TimeMs)'],
    ['const now = new Date()', 'take `now` (TimeMs)'],
    ['const now = Date()', 'take `now` (TimeMs)'],
    ['const x = Math.random()', 'RandomStream'],
    ["const x = Math['random']()", 'RandomStream'],
    ['const t = performance.now()', 'time is measured by the caller'],
    ['setTimeout(f, 1)', 'due time back as data'],
    ['queueMicrotask(f)', 'due time back as data'],
    ['const e = process.env.HOME', 'as an argument'],
    ['const e = { process }', 'as an argument'],
    ['const e = { env: process }', 'as an argument'],
    ['const b = Buffer.alloc(1)', 'Uint8Array'],
    ['const b: Buffer = f()', 'Uint8Array'],
    ["console.log('x')", 'the server logs'],
    ["fetch('x')", 'an adapter talks to the network'],
    ["const n = new Intl.NumberFormat('en')", 'base/units.ts'],
    ['const s = n.toLocaleString()', 'toLocaleString: format with base/units.ts'],
    ['names.sort((a, b) => a.localeCompare(b))', 'compareIds'],
    ['const id = crypto.randomUUID()', 'randomStream'],
    ['const u = import.meta.url', 'import data as JSON'],
    ['const p = globalThis.process', 'as an argument'],
  ])('refuses %s', (text, message) => {
    expect(found(text)).toEqual([expect.stringContaining(message)])
  })

  it.each([
    "const text = 'await Date.now() in process.env' // await setTimeout",
    'const at = new Date(now).toISOString()',
    'const { process } = spec; start(process)',
    'function f(performance: number) { return performance * 2 }',
    'interface Task { process: number; fetch(console: string): void }',
    'const id = task.process + node.crypto',
    'const o = { console: 1, fetch: 2 }',
    "import { process } from './process.ts'\nprocess()",
    'const x = Math.max(1, 2)',
  ])('lets be %s', (text) => {
    expect(found(text)).toEqual([])
  })

  it('holds for product code of pure rooms only', () => {
    expect(found('await f()', 'src/server/a.ts')).toEqual([])
    expect(found('await f()', 'src/control/a.test.ts')).toEqual([])
    expect(found('await f()', 'src/twin/a.ts')).toHaveLength(1)
  })

  it('lets a port say Promise in a type, and only there', () => {
    const port = 'src/control/ports/store.ts'
    expect(found('export interface Store { append(): Promise<void> }', port)).toEqual([])
    expect(found('export const later = Promise.resolve()', port)).toHaveLength(1)
  })
})
