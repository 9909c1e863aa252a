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
  })
}
