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

const PYTHON = process.env.BANYAN_PYTHON ?? '/usr/bin/python3'
const TRAIN = fileURLToPath(new URL('../../../examples/torch-ddp/train.py', import.meta.url))
const SMALL = '--steps 30 --save-every 10 --batch 5 --width 32 --layers 1 --heads 2'.split(' ')

const REACHES_MS = 120_000

afterEach(killStarted)

function start(folder: string, { size = 2, attempt = 1 } = {}): Promise<GangTask[]> {
  // One thread a worker: the same sums in the same order.
  const env = { TORCH_DDP_TEXT: folder, OMP_NUM_THREADS: '1' }
  return startGang({ program: PYTHON, args: [TRAIN, ...SMALL], size, attempt, folder, env })
}

const losses = (lines: ReturnType<typeof progressIn>) => lines.map(({ step, loss }) => ({ step, loss }))

describe('a gang of PyTorch workers', () => {
  it('learns, and after a kill goes on from the checkpoint as if nothing had been', async () => {
    const whole = aTextFolder('torch-ddp')
    const ended = await endsOf(await start(whole))
    expect(
      ended.map(({ code }) => code),
      ended.map(({ err }) => err).join(),
    ).toEqual([0, 0])
    const expected = progressIn(whole)
    expect(expected.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
    expect(expected[0]!.loss).toBeGreaterThan(5)
    expect(expected.at(-1)!.loss).toBeLessThan(3.5)
    expectTimesOfRanks(expected, 2)
    expect(expected.at(-1)).toMatchObject({ totalSteps: 30, checkpoint: expect.stringContaining('30.pt') })

    const broken = aTextFolder('torch-ddp')
    const first = await start(broken)
    await reaches(broken, 11, REACHES_MS)
    first[1]!.child.kill('SIGKILL')
    const [survivor, killed] = await endsOf(first)
    expect(killed?.signal).toBe('SIGKILL')
    expect(survivor).toMatchObject({ code: 1, err: expect.stringContaining('worker 0: ') })

    const before = progressIn(broken)
    const saved = before.findLast(({ checkpoint }) => checkpoint)!.step
    expect(await endsOf(await start(broken, { attempt: 2 }))).toMatchObject([{ code: 0 }, { code: 0 }])
    expect(losses(progressIn(broken).slice(before.length))).toEqual(losses(expected.slice(saved)))
  })

  it('saves and ends on SIGTERM, all after the same step, and goes on with another number of workers', async () => {
    const folder = aTextFolder('torch-ddp')
    const first = await start(folder)
    await reaches(folder, 3, REACHES_MS)
    first[1]!.child.kill('SIGTERM')
    expect(await endsOf(first)).toMatchObject([{ code: 143 }, { code: 143 }])
    const { step, checkpoint } = progressIn(folder).at(-1)!
    expect(checkpoint).toContain(`${step}.pt`)
    expect(await endsOf(await start(folder, { size: 3, attempt: 2 }))).toMatchObject(
      Array(3).fill({ code: 0 }),
    )
    expect(progressIn(folder).map((line) => line.step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
  })
})
