import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { openStore, type StoreLocation } from '../../../src/adapters/store-postgres/index.ts'
import { migrate } from '../../../src/adapters/store-postgres/migrate.ts'
import { openDatabase } from '../../../src/adapters/store-postgres/open-store.ts'
import {
  attemptRow,
  documentRow,
  insertRows,
  workloadRow,
} from '../../../src/adapters/store-postgres/rows.ts'
import { id } from '../../../src/base/index.ts'
import type { MemoryRow } from '../../../src/scheduler/index.ts'
import { anAttempt, aWorkload } from './stored-things.ts'

/** That what an older Banyan wrote is still told. `fresh` makes a place in which no store was opened yet. */
export function upgradeConformance(
  name: string,
  fresh: () => Promise<{ location: StoreLocation; remove: () => void }>,
): void {
  describe(name, () => {
    it('bills what had ended before spans were kept', async () => {
      const older = await fresh()
      const database = await openDatabase(older.location, () => {})
      await migrate(database.reader, 1)
      const attempt = {
        ...anAttempt(1, 1, { state: 'ended', endedAt: 12_000 }),
        outcome: 'preempted',
        usage: { held: 20_000, billed: 15_000, lost: 5_000 },
      } as const
      const nothing = sql`(select 1) as always`
      const node = { collection: 'nodes', id: 'node-1', value: { gpuModel: 'H100' } }
      await insertRows('workloads', [workloadRow(aWorkload(1))], nothing).execute(database.reader)
      await insertRows('attempts', [attemptRow(attempt)], nothing).execute(database.reader)
      await insertRows('documents', [documentRow(node)], nothing).execute(database.reader)
      await database.close()
      const upgraded = await openStore(older.location)
      const periods = [{ from: 0, to: 20_000 }]
      expect(await upgraded.usage({ periods, by: 'user' })).toEqual([
        { period: 0, key: 'ada', gpuModel: 'H100', cause: 'preempted', gpuMs: 5_000 },
        { period: 0, key: 'ada', gpuModel: 'H100', cause: 'work', gpuMs: 15_000 },
      ])
      await upgraded.close()
      older.remove()
    })

    it('remembers past use and run times that were written as one', async () => {
      const older = await fresh()
      const database = await openDatabase(older.location, () => {})
      await migrate(database.reader, 3)
      const spans = [{ from: 1, to: 2, gpuMilli: 500 }]
      const ended = [
        { queue: 'org', model: 'A100', gpuSeconds: 0.1 + 0.2 },
        { queue: 'org', model: 'H100', gpuSeconds: 1e21 },
        { queue: 'org', user: 'ada', model: 'H100', gpuSeconds: 3 },
      ]
      const kinds = [{ gpus: 1, milli: 1000, count: 2, cpuMilli: 0, memoryMib: 0 }]
      const value = {
        usage: {
          clock: { origin: 1000, epoch: 1234 },
          ended,
          budgets: [
            { queue: 'org', spans },
            { queue: 'other', spans },
          ],
        },
        runs: [{ name: 'span user org ada', values: [1.5, 2], next: 2 }],
        mix: kinds,
      }
      const nothing = sql`(select 1) as always`
      const memory = documentRow({ collection: 'scheduler', id: 'memory', value })
      await insertRows('documents', [memory], nothing).execute(database.reader)
      await database.close()
      const upgraded = await openStore(older.location)
      const { documents } = await upgraded.load()
      expect(new Map(documents.map(({ id, value }) => [id, value]))).toEqual(
        new Map<string, MemoryRow>([
          ['clock', { kind: 'clock', origin: 1000, epoch: 1234 }],
          [
            'usage org',
            { kind: 'usage', queue: id('org'), ended: { A100: 0.1 + 0.2, H100: 1e21 }, budgetSpans: spans },
          ],
          ['usage org ada', { kind: 'usage', queue: id('org'), user: id('ada'), ended: { H100: 3 } }],
          ['usage other', { kind: 'usage', queue: id('other'), ended: {}, budgetSpans: spans }],
          ['runs span user org ada', { kind: 'runs', name: 'span user org ada', values: [1.5, 2], next: 2 }],
          ['mix', { kind: 'mix', kinds }],
        ]),
      )
      await upgraded.close()
      older.remove()
    })
  })
}
