import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readTaskLog, TaskLogWriter } from './task-log.ts'

const chunks = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), { maxLength: 20 })
const NOTICE = /\n\[banyan: (\d+) bytes of output were not kept here: .*\]\n/

test('whatever is written in whatever pieces reads back, but for what the cap dropped and the log says', async () => {
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 8, max: 600 }), async (written, capBytes) => {
      const folder = await mkdtemp(join(tmpdir(), 'banyan-log-'))
      try {
        const log = new TaskLogWriter(folder, 0, capBytes)
        for (const chunk of written) log.write(Buffer.from(chunk))
        log.close()
        const whole = Buffer.from(written.join(''))
        const read = await readAll(folder)
        const dropped = Number(NOTICE.exec(read)?.[1] ?? 0)
        expect(await storedBytes(folder)).toBe(whole.length - dropped)
        expect(await storedBytes(folder)).toBeLessThanOrEqual(Math.max(capBytes, 8))
        if (dropped === 0) expect(read).toBe(whole.toString())
        // The cap may cut a character, so the ends are compared where that cannot show.
        const [beginning = '', ending = ''] = read.split(NOTICE).filter((_, index) => index !== 1)
        expect(whole.toString().startsWith(beginning.replace(/\uFFFD+$/, ''))).toBe(true)
        if (dropped > 0) expect(whole.toString().endsWith(ending.replace(/^\uFFFD+/, ''))).toBe(true)
      } finally {
        await rm(folder, { recursive: true })
      }
    }),
  )
})

async function readAll(folder: string): Promise<string> {
  let text = ''
  for (let next = 0; ; ) {
    const chunk = await readTaskLog(folder, 0, next, true)
    text += chunk.text
    if (chunk.ended) return text
    next = chunk.next
  }
}

async function storedBytes(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
