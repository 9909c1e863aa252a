import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { randomStream } from '../../../src/base/index.ts'
import { startPostgres } from '../postgres-server.ts'
import { Writer } from './writer.ts'

const root = mkdtempSync(join(tmpdir(), 'banyan-crash-'))
const server = await startPostgres()
afterAll(async () => {
  rmSync(root, { recursive: true })
  await server?.stop()
})

const LIMIT_MS = 600_000

describe('kill -9 of the process that writes', () => {
  it('loses nothing that was acknowledged, 20 times, on the embedded PostgreSQL', { timeout: LIMIT_MS }, () =>
    surviveKills(join(root, 'killed'), 20),
  )

  it.skipIf(!server)(
    'loses nothing that was acknowledged, 10 times, on a server',
    { timeout: LIMIT_MS },
    async () => surviveKills((await server?.createDatabase()) ?? '', 10),
  )
})

/** Every start checks what the one before left, so the last one only checks. */
async function surviveKills(location: string, rounds: number): Promise<void> {
  const random = randomStream(20, location.includes('://') ? 'served' : 'embedded')
  let acknowledged = 0
  for (let round = 0; round < rounds; round++) {
    const writer = new Writer(location, acknowledged, round)
    if (round % 4 === 3) {
      await writer.said('opening')
      await writer.killAfter(random.below(1_500))
    } else {
      await writer.said('opened')
      for (let acks = random.below(40); acks > 0; acks--) await writer.said('acked')
      await writer.killAfter(random.below(30))
    }
    expect(writer.refusals).toEqual([])
    acknowledged = Math.max(acknowledged, writer.lastAcknowledged)
  }
  const last = new Writer(location, acknowledged, rounds)
  await last.said('acked')
  await last.killAfter(0)
  expect(last.lastAcknowledged).toBeGreaterThan(rounds)
}

describe('a first start', () => {
  it('that is interrupted at any instant leaves nothing that hinders the next one', {
    timeout: LIMIT_MS,
  }, async () => {
    const whole = new Writer(join(root, 'uninterrupted'), 0, 0)
    await whole.said('opening')
    const began = performance.now()
    await whole.said('opened')
    const durationMs = performance.now() - began
    await whole.killAfter(0)

    const folder = join(root, 'interrupted')
    // A start that is quicker than the kill goes on to write, which the next one checks.
    let acknowledged = 0
    for (const share of [0.05, 0.25, 0.45, 0.65, 0.85]) {
      const writer = new Writer(folder, acknowledged, 0)
      await writer.said('opening')
      await writer.killAfter(durationMs * share)
      expect(writer.refusals).toEqual([])
      acknowledged = Math.max(acknowledged, writer.lastAcknowledged)
    }
    const last = new Writer(folder, acknowledged, 0)
    await last.said('acked')
    await last.killAfter(0)
    expect(readdirSync(folder).filter((name) => !name.startsWith('postgres.lock'))).toEqual(['postgres'])
  })
})

describe('several starters on one folder', () => {
  it('have one winner, also when they find the lock of a killed one', { timeout: LIMIT_MS }, async () => {
    const folder = join(root, 'raced')
    let acknowledged = 0
    for (let round = 0; round < 3; round++) {
      const starters = Array.from({ length: 4 }, () => new Writer(folder, acknowledged, round))
      const ends = await Promise.all(starters.map((starter) => starter.said('acked', 'refused')))
      expect(ends.map((line) => line.replace(/ \d+$/, '')).sort()).toEqual([
        'acked',
        ...Array(3).fill('refused folder-locked'),
      ])
      await Promise.all(starters.map((starter) => starter.killAfter(0)))
      acknowledged = Math.max(...starters.map((starter) => starter.lastAcknowledged))
    }
  })
})
