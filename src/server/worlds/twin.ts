import { mkdir } from 'node:fs/promises'
import { openStore, type PostgresStore } from '../../adapters/store-postgres/index.ts'
import { HOUR_MS, present } from '../../base/index.ts'
import { type Batch, DEFAULT_FAILURE_CLASSES, type StoredState } from '../../control/index.ts'
import { clusterOf, clusterTemplate } from '../../fabric/index.ts'
import {
  type Arrival,
  Arrivals,
  LiveFleet,
  LiveHistory,
  type LivePlan,
  LiveTroubles,
} from '../../twin/index.ts'
import { backupStream } from '../backup-stream.ts'
import type { Log } from '../log.ts'
import type { ServerOptions } from '../main-options.ts'
import type { World } from '../server.ts'
import { storeLocation } from '../store-location.ts'
import { TwinClock } from '../twin/twin-clock.ts'
import { TwinDrive } from '../twin/twin-drive.ts'
import { TwinEngine } from '../twin/twin-engine.ts'
import { TwinLogs } from '../twin/twin-logs.ts'
import type { TwinOptions } from '../twin/twin-options.ts'
import { differenceFrom, readTwinRecord, type TwinRecord, writeTwinRecord } from '../twin/twin-record.ts'
import { TwinReplicas } from '../twin/twin-replicas.ts'

const TWIN_CAPABILITIES: World['capabilities'] = {
  engine: 'twin',
  types: ['train', 'serve'],
  containers: true,
  elastic: true,
  fractions: true,
  manyNodes: true,
}

/** How much use of a machine of this many nodes is computed within seconds. */
const NODE_HOURS_OF_HISTORY = 16_000
const SHORTEST_HISTORY_MS = 3 * HOUR_MS
const LONGEST_HISTORY_MS = 24 * HOUR_MS
/** What was submitted so long before a server was killed is looked up: it may not have been taken. */
const LOOK_BACK_MS = HOUR_MS

/** A simulated machine with people who use it: an ordinary server on a clock of its own. */
export async function twinWorld(options: ServerOptions, twin: TwinOptions, log: Log): Promise<World> {
  const { dataDir } = options
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const known = await readTwinRecord(dataDir)
  const difference = known && differenceFrom(known, twin)
  if (difference !== undefined) {
    throw new Error(
      `the data folder ${dataDir} belongs to another twin: ${difference}; ask for that one, or choose another folder with --data`,
    )
  }
  const store = await openStore(storeLocation(options), (line) => log.warn(line))
  let replicas: TwinReplicas | undefined
  try {
    const leadership = await store.lead()
    let stored = await store.load()
    if (!known && stored.lastSequence > 0)
      throw new Error(`the store of ${dataDir} belongs to a real machine; choose another folder with --data`)
    const record = known ?? newRecord(twin)
    replicas = await TwinReplicas.open(record.replicaPort, log)
    if (replicas.port !== record.replicaPort)
      await writeTwinRecord(dataDir, { ...record, replicaPort: replicas.port })
    const plan = { ...planOf(record), replicaAddress: replicas.address }
    stored = await livedThrough(store, stored, plan, record, log)
    const now = Math.max(timeOf(stored), record.foundedAt + record.historyMs)
    const logs = new TwinLogs()
    const fleet = new LiveFleet(plan, stored, now, (run, end) => logs.keep(run, end))
    const clock = new TwinClock(now, twin.speed)
    const engine = new TwinEngine(fleet, clock, logs, troublesOf(twin, now), log)
    const arrivals = new Arrivals(plan)
    const { foundedAt, template, nodes, seed, load, faults } = record
    const missed = await missedArrivals(store, arrivals, now - foundedAt)
    return {
      clock,
      engine: closing(engine, replicas),
      capabilities: TWIN_CAPABILITIES,
      store,
      leadershipLost: leadership.lost,
      advertise: (url) => leadership.advertise(url),
      storeKind: options.databaseUrl === undefined ? 'pglite' : 'postgres',
      backUp: () => backupStream(store, dataDir),
      failureClasses: DEFAULT_FAILURE_CLASSES,
      twin: { template, nodes, seed, load, faults, speed: twin.speed },
      inhabit: (ledger) => new TwinDrive({ fleet, engine, clock, arrivals, missed, foundedAt, log }, ledger),
    }
  } catch (error) {
    await replicas?.close()
    await store.close()
    throw error
  }
}

/** Contact is lost for so long of the wall's time at least, so that a person can see it at any speed. */
const LEAST_LOST_MS = 10_000

function troublesOf({ controlFaults, seed, speed }: TwinOptions, now: number): LiveTroubles | undefined {
  if (controlFaults === 0) return undefined
  return new LiveTroubles(controlFaults, seed + now, now * 1000, LEAST_LOST_MS * speed)
}

function newRecord({ template, nodes, seed, load, faults, historyMs }: TwinOptions): TwinRecord {
  const fitting = (NODE_HOURS_OF_HISTORY / nodes) * HOUR_MS
  const history =
    historyMs ?? Math.round(Math.min(LONGEST_HISTORY_MS, Math.max(SHORTEST_HISTORY_MS, fitting)))
  return { template, nodes, seed, load, faults, historyMs: history, foundedAt: Date.now() - history }
}

function planOf({ template, nodes, seed, load, faults, historyMs }: TwinRecord): LivePlan {
  const made = clusterOf(present(clusterTemplate(template), `template ${template}`), nodes)
  return {
    seed,
    levels: made.cluster.levels,
    nodes: made.nodes,
    gpuCount: made.nodes.reduce((sum, node) => sum + node.gpuCount, 0),
    gpusPerNode: made.nodes[0]?.gpuCount ?? 1,
    shape: 'rsc',
    load,
    faults: {
      rates: ['llama3'],
      scale: faults,
      lemons: { nodes: 0.012, failures: 0.3 },
      stragglers: { perThousandNodeDays: 2, speed: 0.7, lastsMs: 6 * HOUR_MS },
    },
    historyMs,
  }
}

/** The state once all of the twin's history is in the store; a start that was broken off goes on where it was. */
async function livedThrough(
  store: PostgresStore,
  stored: StoredState,
  plan: LivePlan,
  { foundedAt, historyMs }: TwinRecord,
  log: Log,
): Promise<StoredState> {
  if (stored.lastSequence > 0 && timeOf(stored) >= foundedAt + historyMs) return stored
  const begin = performance.now()
  const history = new LiveHistory(plan, new Arrivals(plan), stored, foundedAt)
  let events = 0
  for (let batch = history.next(); batch; batch = history.next()) {
    events += batch.events.length
    await store.append(batch)
    const percent = Math.min(100, Math.floor((100 * (timeOfBatch(batch) - foundedAt)) / historyMs))
    log.info({ percent }, 'the twin lives through its past')
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(1)
  log.info({ nodes: plan.nodes.length, events, seconds }, 'the twin has a past')
  return store.load()
}

function timeOfBatch({ events }: Batch): number {
  return present(events.at(-1), 'last event of a batch').at
}

/** What people submitted shortly before `now` and is in no log; the arrivals stand at what comes next. */
async function missedArrivals(store: PostgresStore, arrivals: Arrivals, now: number): Promise<Arrival[]> {
  const missed: Arrival[] = []
  arrivals.skipTo(Math.max(0, now - LOOK_BACK_MS))
  while (arrivals.nextAt() <= now) {
    const arrival = arrivals.take()
    if (!(await store.submission(arrival.owner.user, arrival.key))) missed.push(arrival)
  }
  return missed
}

/** Time of the last event. */
function timeOf({ documents }: StoredState): number {
  const counters = documents.find(({ collection }) => collection === 'counters')?.value
  return (counters as { readonly now: number } | undefined)?.now ?? 0
}

/** The replicas' server goes with the engine. */
function closing(engine: TwinEngine, replicas: TwinReplicas): TwinEngine {
  const close = engine.close.bind(engine)
  engine.close = async () => {
    await close()
    await replicas.close()
  }
  return engine
}
