import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { startPostgres } from '../conformance/postgres-server.ts'
import { chaosRounds } from './rounds.ts'

const ROUNDS = Number(process.env.CHAOS_ROUNDS ?? 6)
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)
const postgres = await startPostgres()
afterAll(() => postgres?.stop())

const stores = [
  { store: 'PGlite', databaseUrl: undefined, isHere: true },
  { store: 'PostgreSQL', databaseUrl: postgres?.url, isHere: postgres !== undefined },
]

describe(`${ROUNDS} rounds of kill -9 under submissions and stops, seed ${SEED}`, () => {
  for (const { store, databaseUrl, isHere } of stores) {
    test.skipIf(!isHere)(
      `[S5] [S6] ${store}: nothing acknowledged is lost, nothing runs twice, the log replays`,
      async () => {
        const folder = mkdtempSync(join(tmpdir(), 'banyan-chaos-'))
        const report = await chaosRounds({
          folder,
          rounds: ROUNDS,
          seed: SEED,
          say: () => {},
          ...(databaseUrl !== undefined ? { databaseUrl } : {}),
        })
        expect(report.faults).toEqual([])
        expect(report.acknowledged).toBeGreaterThan(0)
        expect(report.attempts).toBeGreaterThan(0)
        rmSync(folder, { recursive: true, force: true })
      },
    )
  }
})
