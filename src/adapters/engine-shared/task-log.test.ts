import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readTaskLog, TaskLogWriter } from './task-log.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-log-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function readAll(from = 0): Promise<string> {
  let text = ''
  for (let next = from; ; ) {
    const chunk = await readTaskLog(folder, 0, next, true)
    text += chunk.text
    if (chunk.ended) return text
    next = chunk.next
  }
}

describe('a log below its cap', () => {
  test('is read whole, across its segments and across characters cut by them', async () => {
    const log = new TaskLogWriter(folder, 0, 80)
    log.write(Buffer.from('añadido ✓ '.repeat(4)))
    expect(await readdir(folder)).toHaveLength(6)
    expect(await readAll()).toBe('añadido ✓ '.repeat(4))
  })

  test('keeps a character that is still being written for the next part', async () => {
    const log = new TaskLogWriter(folder, 0, 8_000)
    const bytes = Buffer.from('ok ✓')
    log.write(bytes.subarray(0, 4))
    expect(await readTaskLog(folder, 0, 0, false)).toEqual({ text: 'ok ', next: 3, ended: false })
    log.write(bytes.subarray(4))
    expect(await readTaskLog(folder, 0, 3, true)).toEqual({ text: '✓', next: 6, ended: true })
  })

  test('tells where it ends to a reader who asks past its end', async () => {
    new TaskLogWriter(folder, 0, 80).write(Buffer.from('0123456789abcdef'))
    expect(await readTaskLog(folder, 0, Number.MAX_SAFE_INTEGER, false)).toEqual({
      text: '',
      next: 16,
      ended: false,
    })
  })

  test('of another task is not touched', async () => {
    new TaskLogWriter(folder, 10, 80).write(Buffer.from('ten'))
    expect(await readTaskLog(folder, 1, 0, true)).toEqual({ text: '', next: 0, ended: true })
  })
})

describe('a log above its cap', () => {
  test('keeps its first and its newest segments, and says what is missing', async () => {
    const log = new TaskLogWriter(folder, 0, 80)
    for (let line = 10; line < 40; line++) log.write(Buffer.from(`line ${line}: \n`.slice(0, 9).concat('\n')))
    const text = await readAll()
    expect(text).toMatch(/^line 10: \n\n\[banyan: 220 bytes of output were not kept here/)
    expect(text.endsWith('line 38: \nline 39: \n')).toBe(true)
    expect(await readdir(folder)).toHaveLength(8)
  })

  test('goes on at the same offsets for who has read it so far', async () => {
    const log = new TaskLogWriter(folder, 0, 80)
    log.write(Buffer.alloc(300, 'a'))
    log.write(Buffer.from('bcd'))
    expect(await readTaskLog(folder, 0, 301, true)).toEqual({ text: 'cd', next: 303, ended: true })
  })

  test('has the last 16 KiB at hand', () => {
    const log = new TaskLogWriter(folder, 0, 80)
    log.write(Buffer.alloc(20_000, 'a'))
    log.write(Buffer.from('the end'))
    expect(log.tail).toHaveLength(16 * 1024)
    expect(log.tail.endsWith('aathe end')).toBe(true)
  })
})

test('output that cannot be written is dropped, counted, and its end remembered', async () => {
  const log = new TaskLogWriter(folder, 0, 8_000)
  log.write(Buffer.from('before '))
  log.close()
  await rm(folder, { recursive: true })
  log.write(Buffer.from('lost'))
  expect(log.tail).toBe('before lost')
  await mkdir(folder)
  log.write(Buffer.from('after'))
  expect(await readTaskLog(folder, 0, 11, true)).toEqual({ text: 'after', next: 16, ended: true })
})
