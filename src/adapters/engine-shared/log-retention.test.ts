import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LogRetention } from './log-retention.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-finished-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function aFinishedAttempt(name: string, bytes: number): Promise<string> {
  const path = join(folder, name)
  await mkdir(join(path, 'logs'), { recursive: true })
  await writeFile(join(path, 'logs', '0-000000000000.log'), Buffer.alloc(bytes))
  await writeFile(join(path, 'order.json'), 'secret')
  return path
}

test('everything but the logs is deleted', async () => {
  const path = await aFinishedAttempt('w1.1', 10)
  await new LogRetention(folder, 100).keep(path)
  expect(await readdir(path)).toEqual(['logs'])
})

test('the oldest logs go when all together outgrow the cap', async () => {
  const retention = new LogRetention(folder, 100)
  for (const name of ['w1.1', 'w2.1', 'w3.1']) await retention.keep(await aFinishedAttempt(name, 40))
  expect(await readdir(folder)).toEqual(['w2.1', 'w3.1'])
})

test('logs of earlier processes count, by when they were finished', async () => {
  for (const [name, at] of [
    ['w1.1', 3_000],
    ['w2.1', 1_000],
    ['w3.1', 2_000],
  ] as const) {
    const path = await aFinishedAttempt(name, 40)
    await rm(join(path, 'order.json'))
    await utimes(path, at, at)
  }
  await new LogRetention(folder, 100).load()
  expect((await readdir(folder)).sort()).toEqual(['w1.1', 'w3.1'])
})
