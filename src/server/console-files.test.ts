import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addConsole } from './console-files.ts'

let folder: string
let app: Hono
const get = (path: string, headers: Record<string, string> = {}) => app.request(path, { headers })
const build = (html: string, at: number) => {
  mkdirSync(join(folder, 'assets'), { recursive: true })
  writeFileSync(join(folder, 'assets/index-1a.js'), 'run()')
  writeFileSync(join(folder, 'index.html'), html)
  utimesSync(join(folder, 'index.html'), at, at)
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'banyan-console-'))
  app = new Hono()
  addConsole(app, folder)
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a console that is not built says how to build it, and comes without a restart once it is', async () => {
  const before = await get('/console/')
  expect(before.status).toBe(503)
  expect(await before.text()).toContain('npm run build:console')
  build('<p>one', 1)
  expect(await (await get('/console/')).text()).toBe('<p>one')
  build('<p>two', 2)
  expect(await (await get('/console/')).text()).toBe('<p>two')
})

test('every place in the console is its page; an asset that is not there is not found', async () => {
  build('<p>page', 1)
  expect((await get('/')).headers.get('Location')).toBe('/console/')
  for (const path of [
    '/console/',
    '/console/workloads/w17',
    '/console/machine?at=pod-1',
    '/console/../../x',
  ]) {
    const target = new URL(path, 'http://host').pathname
    if (target.startsWith('/console/')) expect(await (await get(path)).text()).toBe('<p>page')
    else expect((await get(path)).status).toBe(404)
  }
  expect((await get('/console/assets/index-2b.js')).status).toBe(404)
  expect((await get('/console/assets/..%2f..%2fetc%2fpasswd')).status).toBe(404)
})

test('assets may be kept for good and come zipped to who takes that; the page is asked for again', async () => {
  build('<p>page', 1)
  const asset = await get('/console/assets/index-1a.js', { 'Accept-Encoding': 'gzip, br' })
  expect(asset.headers.get('Content-Encoding')).toBe('gzip')
  expect(asset.headers.get('Cache-Control')).toContain('immutable')
  expect(gunzipSync(new Uint8Array(await asset.arrayBuffer())).toString()).toBe('run()')
  const page = await get('/console/')
  expect(page.headers.get('Cache-Control')).toBe('no-cache')
  expect(page.headers.get('Content-Encoding')).toBeNull()
})

test('the page may load and ask nothing but this origin, run nothing inline, and stand in no frame', async () => {
  build('<p>page', 1)
  const policy = (await get('/console/')).headers.get('Content-Security-Policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toMatch(/unsafe|https?:|\*|data:/)
})
