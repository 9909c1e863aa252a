import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backup, openStore, restore, type StoreLocation } from '../../../src/adapters/store-postgres/index.ts'
import { canonicalJson } from '../../../src/base/index.ts'
import { startPostgres } from '../postgres-server.ts'
import { replayed } from './replayed.ts'
import { aBatch, anEvent } from './stored-things.ts'

const root = mkdtempSync(join(tmpdir(), 'banyan-backup-'))
const server = await startPostgres()
const file = join(root, 'backup')
const EVENTS = 3_000
const contentOf = async (location: StoreLocation) => {
  const store = await openStore(location)
  const content = [
    await store.load(),
    await store.events({ after: 0, limit: EVENTS }),
    await store.workloads({ limit: 99 }),
  ]
  await store.close()
  return canonicalJson(content)
}

let original: string
beforeAll(async () => {
  const location = { dataDir: join(root, 'original') }
  const store = await openStore(location)
  await store.lead()
  const events = Array.from({ length: EVENTS }, (_, index) => anEvent(index + 1))
  await store.append(aBatch({ events, ...replayed(0, EVENTS) }))
  await store.close()
  await backup(location, file)
  original = await contentOf(location)
})
afterAll(async () => {
  rmSync(root, { recursive: true })
  await server?.stop()
})

describe('a backup', () => {
  it.skipIf(!server)('goes from the embedded PostgreSQL to a server and back, and is the same', async () => {
    const served = { databaseUrl: (await server?.createDatabase()) ?? '' }
    await restore(file, served)
    expect(await contentOf(served)).toBe(original)
    const second = join(root, 'second')
    await backup(served, second)
    const back = { dataDir: join(root, 'back') }
    await restore(second, back)
    expect(await contentOf(back)).toBe(original)
    expect(rowsIn(second)).toEqual(rowsIn(file))
  })

  it('is JSON lines with a header and the checksum of all before the last line', () => {
    const lines = linesIn(file)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      format: 'banyan-backup',
      version: 1,
      lastSequence: EVENTS,
    })
    const { sha256, rows } = JSON.parse(lines.at(-1) ?? '')
    expect(rows).toBe(lines.length - 2)
    expect(sha256).toBe(
      createHash('sha256')
        .update(`${lines.slice(0, -1).join('\n')}\n`)
        .digest('hex'),
    )
  })

  const whole = () => readFileSync(file)
  const edited = (edit: (text: string) => string) => gzipSync(edit(gunzipSync(whole()).toString()))
  it.each<[string, () => Buffer, RegExp]>([
    ['cut off', () => whole().subarray(0, -20), /its end is missing/],
    [
      'cut off at the end of a line',
      () => edited((text) => text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1)),
      /its end is missing/,
    ],
    ['cut off inside a line', () => edited((text) => text.slice(0, -10)), /its end is missing/],
    [
      'changed in one row',
      () => edited((text) => text.replace('reason 7"', 'reason 8"')),
      /does not match the checksum/,
    ],
    [
      'without one of its rows',
      () => edited((text) => text.replace(/\n.*reason 7".*/, '')),
      /does not match the checksum/,
    ],
    [
      'damaged',
      () => {
        const bytes = Buffer.from(whole())
        bytes.fill(7, 1_000, 1_100)
        return bytes
      },
      /is damaged/,
    ],
    ['not gzipped', () => gunzipSync(whole()), /is damaged, or no gzip file/],
    ['of something else', () => gzipSync('{"format":"other"}\n'), /does not begin as a backup/],
    [
      'of a newer format',
      () => edited((text) => text.replace('"version":1', '"version":2')),
      /format 2 of a newer Banyan/,
    ],
    [
      'of a newer schema',
      () => edited((text) => reseal(text.replace(/"schema":\d+/, '"schema":900'))),
      /made by a newer Banyan/,
    ],
    ['empty', () => gzipSync(''), /it is empty/],
  ])('that is %s is refused before anything is touched', async (_, make, message) => {
    const broken = join(root, 'broken')
    writeFileSync(broken, make())
    const target = join(root, 'never')
    await expect(restore(broken, { dataDir: target })).rejects.toThrow(message)
    expect(existsSync(target)).toBe(false)
  })

  it('that is not there is refused with its name', async () => {
    await expect(restore(join(root, 'none'), { dataDir: join(root, 'never') })).rejects.toThrow(
      /none cannot be restored: there is no such file/,
    )
  })

  it('leaves no part of a file that could not be written', async () => {
    await expect(backup({ dataDir: join(root, 'original') }, join(root, 'no/such/folder'))).rejects.toThrow(
      /ENOENT/,
    )
    expect(readdirSync(root).filter((name) => name.endsWith('.part'))).toEqual([])
  })
})

function linesIn(path: string): string[] {
  return gunzipSync(readFileSync(path)).toString().trimEnd().split('\n')
}

function rowsIn(path: string): string[] {
  return linesIn(path).slice(1, -1).sort()
}

function reseal(text: string): string {
  const lines = text.trimEnd().split('\n')
  const body = `${lines.slice(0, -1).join('\n')}\n`
  const sha256 = createHash('sha256').update(body).digest('hex')
  return `${body}${JSON.stringify({ ...JSON.parse(lines.at(-1) ?? ''), sha256 })}\n`
}
