import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { StoreLocation } from '../../src/adapters/store-postgres/index.ts'
import { startPostgres } from '../conformance/postgres-server.ts'
import { ServerProcess } from '../server/server-process.ts'
import { fillWithHistory } from './api/history.ts'
import type { Load, LoadResult } from './api/load.ts'
import { benchOptions } from './options.ts'
import { benchTable } from './table.ts'

const HELP = `npm run bench:api -- [--store pglite|postgres|both] [--finished 0,100000] [--seconds 5] [--main FILE] [--json]

Durable submissions per second, latency of list and show, and the resident memory of a real server process, with the
load made in another process. --main runs a server that was built instead of the source.`

interface Row extends LoadResult {
  readonly store: string
  readonly finished: number
  readonly what: 'submit' | 'show' | 'list'
  readonly clients: number
  /** CPU time of the whole server process for each answer: what stays comparable on a machine that does other things too. */
  readonly cpuMs: number
}

interface Memory {
  readonly store: string
  readonly finished: number
  /** Bytes resident after the start, and after the load. */
  readonly startedBytes: number
  readonly loadedBytes: number
}

const WAITS = { spec: { type: 'train', name: 'waits', gpus: 4, run: 'true' }, folder: '/' }

process.exitCode = await main()

async function main(): Promise<number> {
  const options = benchOptions(HELP, { store: 'both', finished: [0, 100_000], seconds: 5, main: '' })
  const rows: Row[] = []
  const memory: Memory[] = []
  const notes: string[] = []
  for (const store of options.store === 'both' ? ['pglite', 'postgres'] : [options.store]) {
    const postgres = store === 'postgres' ? await startPostgres() : undefined
    if (store === 'postgres' && !postgres) {
      notes.push('PostgreSQL is not here, so it was not measured')
      continue
    }
    try {
      for (const finished of options.finished) {
        console.error(`${store}, ${finished} finished workloads`)
        const databaseUrl = await postgres?.createDatabase()
        const measured = await measure({
          store,
          finished,
          seconds: options.seconds,
          ...(databaseUrl !== undefined ? { databaseUrl } : {}),
          ...(options.main ? { main: options.main } : {}),
        })
        rows.push(...measured.rows)
        memory.push(measured.memory)
      }
    } finally {
      await postgres?.stop()
    }
  }
  console.log(options.json ? JSON.stringify({ rows, memory, notes }) : tableOf(rows, memory, notes))
  return 0
}

interface Setting {
  readonly store: string
  readonly finished: number
  readonly seconds: number
  readonly databaseUrl?: string
  readonly main?: string
}

async function measure(setting: Setting): Promise<{ rows: Row[]; memory: Memory }> {
  const { store, finished, seconds, databaseUrl } = setting
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-bench-'))
  const start = () => new ServerProcess({ dataDir, ...setting, slots: 4 })
  const location: StoreLocation =
    databaseUrl === undefined ? { dataDir: join(dataDir, 'store') } : { databaseUrl }
  let server = start()
  try {
    await server.ready
    if (finished > 0) {
      await server.end()
      await fillWithHistory(location, finished)
      server = start()
    }
    const url = await server.ready
    const client = await server.client()
    await client.submitWorkload({
      spec: { type: 'train', name: 'holder', gpus: 4, run: 'sleep 3600', tasksPer: 'node' },
      folder: '/',
    })
    const startedBytes = residentBytes(server.pid)
    const rows: Row[] = []
    const run = async (what: Row['what'], clients: number, path: string, body?: unknown) => {
      const load: Load = {
        url: `${url}${path}`,
        token: server.token,
        method: body === undefined ? 'GET' : 'POST',
        connections: clients,
        seconds,
        ...(body === undefined ? {} : { body }),
      }
      const before = cpuMsOf(server.pid)
      const result = await inAnotherProcess(load)
      const cpuMs = (cpuMsOf(server.pid) - before) / (result.answered + result.warmedUp)
      rows.push({ store, finished, what, clients, ...result, cpuMs })
      console.error(`${what} with ${clients} clients: ${Math.round(result.perSecond)} per second`)
    }
    const shown = finished > 0 ? `w${Math.ceil(finished / 2)}` : 'w1'
    for (const clients of [1, 16]) {
      await run('show', clients, `/v1/workloads/${shown}`)
      await run('list', clients, '/v1/workloads?limit=50')
    }
    for (const clients of [1, 64]) {
      await run('submit', clients, '/v1/workloads', WAITS)
    }
    if (server.child.exitCode !== null || server.child.signalCode !== null)
      throw new Error(`the server ended: ${server.said}`)
    const memory = { store, finished, startedBytes, loadedBytes: residentBytes(server.pid) }
    await client.stopWorkload({ id: 'holder', kill: true })
    // Its log ends when it has ended.
    for await (const { type } of client.followLog({ id: 'holder' })) if (type === 'end') break
    return { rows, memory }
  } finally {
    await server.end()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function inAnotherProcess(load: Load): Promise<LoadResult> {
  const script = fileURLToPath(new URL('./api/load.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    'tsx',
    script,
    JSON.stringify(load),
  ])
  return JSON.parse(stdout) as LoadResult
}

function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) * 1_024
}

/** Kernel ticks are hundredths of a second on Linux. */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function tableOf(rows: readonly Row[], memory: readonly Memory[], notes: readonly string[]): string {
  const titles = [
    'store',
    'finished',
    'what',
    'clients',
    'per second',
    'p50 ms',
    'p99 ms',
    'CPU ms',
    'failed',
  ]
  const table = benchTable(
    titles,
    rows.map(({ store, finished, what, clients, perSecond, p50, p99, cpuMs, failed }) => [
      store,
      finished,
      what,
      clients,
      Math.round(perSecond),
      p50.toFixed(1),
      p99.toFixed(1),
      cpuMs.toFixed(2),
      failed,
    ]),
  )
  const mib = (bytes: number) => Math.round(bytes / 2 ** 20)
  const resident = memory.map(
    ({ store, finished, startedBytes, loadedBytes }) =>
      `${store}, ${finished} finished: ${mib(startedBytes)} MiB resident after the start, ${mib(loadedBytes)} after the load`,
  )
  return [table, ...resident, ...notes].join('\n')
}
