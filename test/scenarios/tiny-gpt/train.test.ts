import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import {
  aTextFolder,
  endsOf,
  expectTimesOfRanks,
  type GangTask,
  killStarted,
  progressIn,
  reaches,
  startGang,
} from '../../gang/a-gang.ts'

const TRAIN = fileURLToPath(new URL('../../../examples/tiny-gpt/train.js', import.meta.url))
// Small, but with steps of some 20 ms, so that a signal comes before the end.
const SMALL = '--steps 30 --save-every 10 --batch 8 --context 64 --width 64 --layers 2 --heads 2'.split(' ')

const REACHES_MS = 20_000

afterEach(killStarted)

function start(folder: string, { size = 2, attempt = 1 } = {}): Promise<GangTask[]> {
  const env = { TINY_GPT_TEXT: folder }
  return startGang({ program: process.execPath, args: [TRAIN, ...SMALL], size, attempt, folder, env })
}

const losses = (lines: ReturnType<typeof progressIn>) => lines.map(({ step, loss }) => ({ step, loss }))

describe('a gang', { timeout: 60_000 }, () => {
  it('learns, and after a kill goes on from the checkpoint as if nothing had been', async () => {
    const whole = aTextFolder('tiny-gpt')
    expect(await endsOf(await start(whole))).toMatchObject(Array(2).fill({ code: 0, err: '' }))
    const expected = progressIn(whole)
    expect(expected.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
    expect(expected[0]!.loss).toBeGreaterThan(5)
    expect(expected.at(-1)).toMatchObject({
      totalSteps: 30,
      tokens: 30 * 8 * 64,
      checkpoint: expect.stringMatching(/30.ckpt/),
    })
    expect(expected.at(-1)!.loss).toBeLessThan(2)
    expectTimesOfRanks(expected, 2)

    const broken = aTextFolder('tiny-gpt')
    const first = await start(broken)
    await reaches(broken, 11, REACHES_MS)
    first[1]!.child.kill('SIGKILL')
    const [survivor, killed] = await endsOf(first)
    expect(killed?.signal).toBe('SIGKILL')
    expect(survivor).toMatchObject({ code: 1, err: expect.stringContaining('worker 1') })

    const before = progressIn(broken)
    const saved = before.findLast(({ checkpoint }) => checkpoint)!.step
    expect(await endsOf(await start(broken, { attempt: 2 }))).toMatchObject(Array(2).fill({ code: 0 }))
    expect(losses(progressIn(broken).slice(before.length))).toEqual(losses(expected.slice(saved)))
  })

  it('saves and ends on SIGTERM, all after the same step, and goes on with another number of workers', async () => {
    const folder = aTextFolder('tiny-gpt')
    const first = await start(folder)
    await reaches(folder, 5, REACHES_MS)
    first[1]!.child.kill('SIGTERM')
    expect(await endsOf(first)).toMatchObject(Array(2).fill({ code: 143, err: '' }))
    const { step, checkpoint } = progressIn(folder).at(-1)!
    expect(checkpoint).toContain(`${step}.ckpt`)
    expect(await endsOf(await start(folder, { size: 3, attempt: 2 }))).toMatchObject(
      Array(3).fill({ code: 0 }),
    )
    expect(losses(progressIn(folder)).map((line) => line.step)).toEqual(
      Array.from({ length: 30 }, (_, i) => i + 1),
    )
  })
})

it('a worker says how to start it when it is started alone', () => {
  const { status, stderr } = spawnSync(process.execPath, [TRAIN], { env: {}, encoding: 'utf8' })
  expect(stderr).toMatch(/RANK.* not set; start it with: banyan run/)
  expect(status).toBe(1)
})
