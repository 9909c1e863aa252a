import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AttemptId, id } from '../../base/index.ts'
import { ProgressFile } from './progress-file.ts'

const attempt = id<AttemptId>('w1.1')

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-progress-'))
  path = join(folder, 'progress.jsonl')
})
afterEach(() => rm(folder, { recursive: true }))

test('says nothing before the file is there, then only what is new', async () => {
  const file = new ProgressFile(path, undefined)
  expect(await file.read()).toBe(false)
  await writeFile(path, '{"step":1}\n{"st')
  expect(await file.read()).toBe(true)
  expect(await file.read()).toBe(false)
  await appendFile(path, 'ep":2}\n')
  expect(await file.read()).toBe(true)
  expect(file.factOf(attempt)).toMatchObject({ attempt, progress: { step: 2 } })
})

test('begins again when the program began its file again', async () => {
  const file = new ProgressFile(path, undefined)
  await writeFile(path, '{"step":100,"loss":1.25}\n')
  await file.read()
  await writeFile(path, '{"step":3}\n')
  await file.read()
  expect(file.factOf(attempt)).toMatchObject({ progress: { step: 3 } })
})

test('of a huge file the first loss and the end are read', async () => {
  await writeFile(
    path,
    `{"step":0,"loss":9}\n${'{"step":1,"loss":5}\n'.repeat(1_000_000)}{"step":7,"loss":2}\n`,
  )
  const file = new ProgressFile(path, undefined)
  await file.read()
  expect(file.factOf(attempt)).toMatchObject({ firstLoss: 9, progress: { step: 7, loss: 2 } })
})
