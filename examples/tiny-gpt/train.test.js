import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'

const TRAIN = fileURLToPath(new URL('train.js', import.meta.url))
// Small, but with steps of some 20 ms, so that a signal comes before the end.
const SMALL = '--steps 30 --save-every 10 --batch 8 --context 64 --width 64 --layers 2 --heads 2'.split(' ')
const started = []

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

async function startGang({ folder, size = 2, attempt = 1 }) {
  const port = await freePort()
  writeFileSync(join(folder, 'text.md'), 'The quick brown fox jumps over the lazy dog.\n'.repeat(50))
  return Array.from({ length: size }, (_, rank) => {
    const env = {
      RANK: rank,
      WORLD_SIZE: size,
      MASTER_ADDR: '127.0.0.1',
      MASTER_PORT: port,
      BANYAN_WORKLOAD_ID: 'w1',
      BANYAN_ATTEMPT: attempt,
      BANYAN_CHECKPOINT_DIR: join(folder, 'checkpoints'),
      BANYAN_PROGRESS_FILE: join(folder, 'progress'),
      TINY_GPT_TEXT: folder,
    }
    const child = spawn(process.execPath, [TRAIN, ...SMALL], { env })
    started.push(child)
    const exit = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)])
    return { child, end: exit.then(([[code, signal], out, err]) => ({ code, signal, out, err })) }
  })
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

const aFolder = () => mkdtempSync(join(tmpdir(), 'tiny-gpt-'))
const ends = (gang) => Promise.all(gang.map(({ end }) => end))

function progress(folder) {
  const file = join(folder, 'progress')
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

const reaches = (folder, step) =>
  vi.waitFor(() => expect(progress(folder).at(-1)?.step ?? 0).toBeGreaterThanOrEqual(step), {
    timeout: 20_000,
  })

const losses = (lines) => lines.map(({ step, loss }) => ({ step, loss }))

describe('a gang', { timeout: 60_000 }, () => {
  it('learns, and after a kill goes on from the checkpoint as if nothing had been', async () => {
    const whole = aFolder()
    expect(await ends(await startGang({ folder: whole }))).toMatchObject(Array(2).fill({ code: 0, err: '' }))
    const expected = progress(whole)
    expect(expected.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
    expect(expected[0].loss).toBeGreaterThan(5)
    expect(expected.at(-1)).toMatchObject({
      totalSteps: 30,
      tokens: 30 * 8 * 64,
      checkpoint: expect.stringMatching(/30.ckpt/),
    })
    expect(expected.at(-1).loss).toBeLessThan(2)

    const broken = aFolder()
    const first = await startGang({ folder: broken })
    await reaches(broken, 11)
    first[1].child.kill('SIGKILL')
    const [survivor, killed] = await ends(first)
    expect(killed.signal).toBe('SIGKILL')
    expect(survivor).toMatchObject({ code: 1, err: expect.stringContaining('worker 1') })

    const before = progress(broken)
    const saved = before.findLast(({ checkpoint }) => checkpoint).step
    expect(await ends(await startGang({ folder: broken, attempt: 2 }))).toMatchObject(
      Array(2).fill({ code: 0 }),
    )
    expect(losses(progress(broken).slice(before.length))).toEqual(losses(expected.slice(saved)))
  })

  it('saves and ends on SIGTERM, all after the same step, and goes on with another number of workers', async () => {
    const folder = aFolder()
    const first = await startGang({ folder })
    await reaches(folder, 5)
    first[1].child.kill('SIGTERM')
    expect(await ends(first)).toMatchObject(Array(2).fill({ code: 143, err: '' }))
    const { step, checkpoint } = progress(folder).at(-1)
    expect(checkpoint).toContain(`${step}.ckpt`)
    expect(await ends(await startGang({ folder, size: 3, attempt: 2 }))).toMatchObject(
      Array(3).fill({ code: 0 }),
    )
    expect(losses(progress(folder)).map((line) => line.step)).toEqual(
      Array.from({ length: 30 }, (_, i) => i + 1),
    )
  })
})

it('says how to start it when it is started alone', async () => {
  const child = spawn(process.execPath, [TRAIN], { env: {} })
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  expect(said).toMatch(/RANK.* not set; start it with: banyan run/)
  expect(code).toBe(1)
})
