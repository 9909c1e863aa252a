import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createLocalEngine } from '../../adapters/engine-local/index.ts'
import { openStore } from '../../adapters/store-postgres/index.ts'
import { DEFAULT_FAILURE_CLASSES } from '../../control/index.ts'
import { backupStream } from '../backup-stream.ts'
import { steadyClock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { ServerOptions } from '../main-options.ts'
import type { World } from '../server.ts'
import { storeLocation } from '../store-location.ts'
import { readTwinRecord } from '../twin/twin-record.ts'

const LOCAL_CAPABILITIES: World['capabilities'] = {
  engine: 'local',
  types: ['train', 'serve'],
  containers: false,
  elastic: true,
  fractions: true,
  manyNodes: false,
}

/** This machine: processes as attempts, the wall's clock, PostgreSQL embedded or by its address. */
export async function realWorld(options: ServerOptions, log: Log): Promise<World> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  const twin = await readTwinRecord(options.dataDir)
  if (twin) {
    throw new Error(
      `the data folder ${options.dataDir} is a twin's; start it with --twin ${twin.template}:${twin.nodes}, or choose another folder with --data`,
    )
  }
  const store = await openStore(storeLocation(options), (line) => log.warn(line))
  try {
    const leadership = await store.lead()
    const engine = await createLocalEngine({
      dataDir: join(options.dataDir, 'engine'),
      ...(options.slots !== undefined ? { slots: options.slots } : {}),
    })
    return {
      clock: steadyClock(),
      engine,
      capabilities: LOCAL_CAPABILITIES,
      store,
      leadershipLost: leadership.lost,
      storeKind: options.databaseUrl === undefined ? 'pglite' : 'postgres',
      backUp: () => backupStream(store, options.dataDir),
      failureClasses: DEFAULT_FAILURE_CLASSES,
    }
  } catch (error) {
    await store.close()
    throw error
  }
}
