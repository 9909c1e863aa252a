import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createLocalEngine } from '../../adapters/engine-local/index.ts'
import { createSlurmEngine, slurmToken } from '../../adapters/engine-slurm/index.ts'
import { openStore } from '../../adapters/store-postgres/index.ts'
import { DEFAULT_FAILURE_CLASSES, type Engine, type Store } from '../../control/index.ts'
import { backupStream } from '../backup-stream.ts'
import { steadyClock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { ServerOptions, SlurmOptions } from '../main-options.ts'
import type { World } from '../server.ts'
import { standBy } from '../standby.ts'
import { storeLocation } from '../store-location.ts'
import { readTwinRecord } from '../twin/twin-record.ts'

/** A lock that is not had within this is another server's. */
const LOCK_PATIENCE_MS = 300

const LOCAL_CAPABILITIES: World['capabilities'] = {
  engine: 'local',
  types: ['train', 'serve'],
  containers: false,
  elastic: true,
  fractions: true,
  manyNodes: false,
}

const SLURM_CAPABILITIES: World['capabilities'] = {
  ...LOCAL_CAPABILITIES,
  engine: 'slurm',
  fractions: false,
  manyNodes: true,
}

/** This machine or a Slurm cluster, the wall's clock, PostgreSQL embedded or by its address. */
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
    const { leadership, standby } = await leadOrStandBy(store, options, log)
    const engine = options.slurm ? await slurmEngine(options.slurm, options) : await localEngine(options)
    return {
      clock: steadyClock(),
      engine,
      capabilities: options.slurm ? SLURM_CAPABILITIES : LOCAL_CAPABILITIES,
      store,
      leadershipLost: leadership.lost,
      standby,
      advertise: (url) => leadership.advertise(url),
      storeKind: options.databaseUrl === undefined ? 'pglite' : 'postgres',
      backUp: () => backupStream(store, options.dataDir),
      failureClasses: DEFAULT_FAILURE_CLASSES,
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Becomes the leader; while another one leads, calls are passed on to it. */
async function leadOrStandBy(store: Store, options: ServerOptions, log: Log) {
  const leading = store.lead()
  const patience = new AbortController()
  const isFree = await Promise.race([
    leading.then(() => true),
    pause(LOCK_PATIENCE_MS, false, { signal: patience.signal }).catch(() => false),
  ])
  patience.abort()
  if (isFree) return { leadership: await leading, standby: undefined }
  try {
    const standby = await standBy(options, () => store.leader())
    log.info(
      { url: standby.url, leader: await store.leader() },
      'another server leads; calls are passed on to it',
    )
    return { leadership: await leading, standby }
  } catch (error) {
    leading.catch(() => {})
    throw error
  }
}

function localEngine({ dataDir, slots }: ServerOptions): Promise<Engine> {
  return createLocalEngine({
    dataDir: join(dataDir, 'engine'),
    ...(slots !== undefined ? { slots } : {}),
  })
}

function slurmEngine(slurm: SlurmOptions, { dataDir }: ServerOptions): Promise<Engine> {
  const { dir, rest, pendingPatienceMs, ...given } = slurm
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return createSlurmEngine({
    dataDir: dir ?? join(dataDir, 'engine-slurm'),
    ...named,
    ...(pendingPatienceMs === undefined ? {} : { pendingPatienceMs }),
    ...(rest === undefined ? {} : { rest: { url: rest, ...slurmToken(process.env) } }),
  })
}
