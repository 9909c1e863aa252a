import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { StoreLocation } from '../../src/adapters/store-postgres/index.ts'
import { type RandomStream, randomStream } from '../../src/base/index.ts'
import { isFinal } from '../../src/model/index.ts'
import { ServerProcess } from '../server/server-process.ts'
import { auditStore } from './audit.ts'
import { journalFaults, readJournal } from './task-journal.ts'
import { Traffic } from './traffic.ts'

export interface ChaosOptions {
  /** An empty folder. */
  readonly folder: string
  readonly rounds: number
  readonly seed: number
  /** A PostgreSQL server instead of the embedded one. */
  readonly databaseUrl?: string
  /** The server's own entry, where it is not the source. */
  readonly main?: string
  readonly say: (line: string) => void
}

export interface ChaosReport {
  readonly rounds: number
  readonly killedWhile: { starting: number; serving: number; stopping: number }
  readonly acknowledged: number
  readonly submissions: number
  readonly repeated: number
  readonly replayed: number
  readonly stops: number
  readonly attempts: number
  /** Tasks that were started under one server process and ended under a later one. */
  readonly adopted: number
  readonly events: number
  readonly audits: number
  readonly faults: readonly string[]
}

const SLOTS = 8
const LONGEST_SERVING_MS = 2_500
const LONGEST_STARTING_MS = 6_000
const AUDIT_EVERY = 10
const DRAINED_WITHIN_MS = 180_000

/**
 * Kills a real server with -9 at random instants under a stream of submissions and stops, starts it again on the same
 * data, round after round, and lets the last one finish its work. No faults in the report means that every promise held.
 */
export async function chaosRounds(options: ChaosOptions): Promise<ChaosReport> {
  const { folder, rounds, seed, databaseUrl, say } = options
  const dataDir = join(folder, 'data')
  const journal = join(folder, 'journal')
  mkdirSync(`${journal}.d`, { recursive: true })
  const random = randomStream(seed, 'chaos')
  const traffic = new Traffic(random.fork('traffic'), journal, folder)
  const location: StoreLocation =
    databaseUrl === undefined ? { dataDir: join(dataDir, 'store') } : { databaseUrl }
  const killedWhile = { starting: 0, serving: 0, stopping: 0 }
  const faults: string[] = []
  const report = (found: readonly string[]) => {
    faults.push(...found)
    for (const fault of found) say(`FAULT ${fault}`)
  }
  let adopted = 0
  let audits = 0
  const start = () =>
    new ServerProcess({
      dataDir,
      slots: SLOTS,
      ...(databaseUrl !== undefined ? { databaseUrl } : {}),
      ...(options.main !== undefined ? { main: options.main } : {}),
    })

  for (let round = 1; round <= rounds; round++) {
    const running = runningTasks(journal)
    const server = start()
    const when = await oneRound(server, traffic, random.fork(`round ${round}`))
    if (when === 'failed') report([`round ${round}: ${server.said}`])
    else killedWhile[when]++
    const ended = readJournal(journal).filter(({ kind }) => kind === 'end')
    adopted += ended.filter(({ attempt, rank }) => running.has(`${attempt} ${rank}`)).length
    if (round % AUDIT_EVERY === 0) {
      audits++
      report((await auditStore(location)).faults.map((fault) => `after round ${round}: ${fault}`))
    }
    report(traffic.faults.splice(0).map((fault) => `round ${round}: ${fault}`))
    say(
      `round ${round}/${rounds}: killed while ${when}; ${traffic.acknowledged.size} acknowledged, ` +
        `${traffic.unanswered} unanswered, ${faults.length} faults`,
    )
    if (when === 'failed') break
  }

  const server = start()
  const client = await server.client([100, 500, 1_000])
  await traffic.settle(client)
  report(traffic.faults)
  report(await drained(client))
  await server.end()
  const { faults: found, events, workloads } = await auditStore(location)
  report([...found, ...journalFaults(journal), ...endingFaults(traffic, workloads, journal)])
  return {
    rounds,
    killedWhile,
    acknowledged: traffic.acknowledged.size,
    ...traffic.counts,
    attempts: new Set(readJournal(journal).map(({ attempt }) => attempt)).size,
    adopted,
    events,
    audits: audits + 1,
    faults,
  }
}

/** One life of a server, from its start to its kill. */
async function oneRound(
  server: ServerProcess,
  traffic: Traffic,
  random: RandomStream,
): Promise<'starting' | 'serving' | 'stopping' | 'failed'> {
  if (random.next() < 0.15) {
    const killed = wait(random.below(LONGEST_STARTING_MS)).then(() => server.end('SIGKILL'))
    await Promise.race([killed, server.exited])
    return server.child.signalCode === 'SIGKILL' ? 'starting' : 'failed'
  }
  const url = await server.ready.catch(() => undefined)
  if (url === undefined) return 'failed'
  const over = new AbortController()
  const sending = traffic.run(url, server.token, over.signal)
  await wait(random.below(LONGEST_SERVING_MS))
  const politely = random.next() < 0.1
  if (politely) {
    server.child.kill('SIGTERM')
    await wait(random.below(300))
  }
  await server.end('SIGKILL')
  over.abort()
  await sending
  return politely ? 'stopping' : 'serving'
}

function runningTasks(journal: string): Set<string> {
  const running = new Set<string>()
  for (const { kind, attempt, rank } of readJournal(journal)) {
    if (kind === 'start') running.add(`${attempt} ${rank}`)
    if (kind === 'end') running.delete(`${attempt} ${rank}`)
  }
  return running
}

/** Waits until nothing is live. */
async function drained(client: Awaited<ReturnType<ServerProcess['client']>>): Promise<string[]> {
  const deadline = performance.now() + DRAINED_WITHIN_MS
  for (;;) {
    const { items } = await client.listWorkloads({
      state: ['queued', 'starting', 'running', 'stopping'],
      limit: 5,
    })
    if (items.length === 0) return []
    if (performance.now() > deadline) {
      return items.map(
        ({ id, state, stateReason }) => `${id} is still ${state} ${stateReason} long after the last kill`,
      )
    }
    await wait(500)
  }
}

/** Whatever was acknowledged and is missing, ended otherwise than its program ends, or was never asked for. */
function endingFaults(
  traffic: Traffic,
  workloads: Awaited<ReturnType<typeof auditStore>>['workloads'],
  journal: string,
): string[] {
  const faults: string[] = []
  const started = new Set(
    readJournal(journal).map(({ attempt }) => attempt.slice(0, attempt.lastIndexOf('.'))),
  )
  for (const { id, key, ends, stopped } of traffic.acknowledged.values()) {
    const workload = workloads.get(id)
    if (!workload) {
      faults.push(`${id} (${key}) was acknowledged and is not there`)
      continue
    }
    const { state, attemptCount, stateReason } = workload
    if (!isFinal(state)) faults.push(`${id} is ${state}`)
    if (stopped === 'cancelled' && attemptCount === 0 && started.has(id))
      faults.push(`${id} ran after it was cancelled`)
    const asMeant = state === ends.state && attemptCount === ends.attempts
    if (asMeant || (stopped !== undefined && state === 'cancelled')) continue
    faults.push(
      `${id} ${state} (${stateReason}) after ${attemptCount} attempts, stop ${stopped ?? 'never asked'}; meant was ${ends.state} after ${ends.attempts}`,
    )
  }
  for (const id of workloads.keys())
    if (!traffic.acknowledged.has(id)) faults.push(`${id} is there and nobody submitted it`)
  return faults
}
