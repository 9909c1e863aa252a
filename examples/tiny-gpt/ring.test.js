import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from './free-port.fixture.js'

const FIXTURE = fileURLToPath(new URL('ring-worker.fixture.js', import.meta.url))
const started = []

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

function startWorker({ rank, size, port, session = 'w1.1', length, meetMs = 30_000 }) {
  const child = spawn(process.execPath, [FIXTURE, rank, size, port, session, length, meetMs].map(String))
  started.push(child)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const exit = Promise.all([once(child, 'exit'), text(child.stderr)]).then(([[code], said]) => ({
    code,
    said,
  }))
  return { child, exit, nextLine: async () => (await lines.next()).value }
}

async function startRing(size, length) {
  const port = await freePort()
  const workers = Array.from({ length: size }, (_, rank) => startWorker({ rank, size, port, length }))
  for (const worker of workers) expect(await worker.nextLine()).toBe('joined')
  return workers
}

describe('sum', { timeout: 30_000 }, () => {
  it.each([
    [1, 5],
    [2, 1],
    [2, 100_001],
    [3, 2],
    [4, 1_000],
    [5, 1_003],
  ])('over %d processes of %d numbers is the same everywhere, and again', async (size, length) => {
    const workers = await startRing(size, length)
    const factor = (size * (size + 1)) / 2
    for (let round = 0; round < 2; round++) {
      for (const { child } of workers) child.stdin.write('sum\n')
      const texts = await Promise.all(workers.map((worker) => worker.nextLine()))
      expect(new Set(texts).size).toBe(1)
      for (const [i, value] of JSON.parse(texts[0]).entries()) {
        if (Math.abs(value - factor * (i + 0.1)) > 1e-6 * value) throw new Error(`number ${i} is ${value}`)
      }
    }
    for (const { child } of workers) child.stdin.end()
    for (const { exit } of workers) expect(await exit).toEqual({ code: 0, said: '' })
  })
})

describe('when a worker is killed', { timeout: 30_000 }, () => {
  it.each([0, 1, 2])('all others fail and its neighbours name worker %d', async (killed) => {
    const workers = await startRing(3, 1_000)
    for (const [rank, { child }] of workers.entries()) if (rank !== killed) child.stdin.write('sum\n')
    workers[killed].child.kill('SIGKILL')
    const others = workers.filter((_, rank) => rank !== killed)
    const ends = await Promise.all(others.map(({ exit }) => exit))
    expect(ends.map(({ code }) => code)).toEqual([1, 1])
    expect(ends.map(({ said }) => said).join()).toContain(`worker ${killed} `)
  })
})

describe('meeting', { timeout: 30_000 }, () => {
  it('turns away a worker of another attempt, and anything that speaks another protocol', async () => {
    const port = await freePort()
    const first = startWorker({ rank: 0, size: 2, port, length: 3 })
    const zombie = startWorker({ rank: 1, size: 2, port, session: 'w1.0', length: 3 })
    expect((await zombie.exit).code).toBe(1)
    const scan = await fetch(`http://127.0.0.1:${port}`).catch(() => 'closed')
    expect(scan).toBe('closed')
    const second = startWorker({ rank: 1, size: 2, port, length: 3 })
    expect(await first.nextLine()).toBe('joined')
    expect(await second.nextLine()).toBe('joined')
  })

  it('gives up on a worker that does not come, and says how many are missing', async () => {
    const alone = startWorker({ rank: 0, size: 3, port: await freePort(), length: 3, meetMs: 200 })
    expect(await alone.exit).toEqual({ code: 1, said: '2 of 2 workers did not come in time\n' })
  })
})
