import FlatQueue from 'flatqueue'
import type { AttemptId, TimeMs, WorkloadId } from '../base/index.ts'
import { hash32, MINUTE_MS } from '../base/index.ts'
import { gangKey } from './gang.ts'
import type { Occupant } from './holding.ts'
import type { Machine } from './machine.ts'
import { Pass } from './pass.ts'
import { PlacesInLine } from './place-in-line.ts'
import { toldEndAt } from './told-time.ts'
import { Transaction } from './transaction.ts'
import { lossOf } from './victims.ts'
import type { Entry } from './waiting.ts'

/** When a queued gang will start, over seeded replications of the core run forward. */
export interface Forecast {
  readonly workload: WorkloadId
  readonly replica: number
  /** Half of the replications started it by then; absent when fewer did. */
  readonly p50?: TimeMs
  readonly p90?: TimeMs
}

export interface ForecastOptions {
  readonly replications: number
  readonly seed: number
  /** Gangs to forecast, by `gangKey`; absent means all. */
  readonly only?: ReadonlySet<string>
  /** How many starts a replication follows at most. */
  readonly firstStarts?: number
}

/** Passes stand at least this far apart, as a share of the time looked ahead: what is far off need not be known to the minute. */
const RESOLUTION = 0.08

/**
 * The start times of what is queued: the core run forward in virtual time on a copy, with run times drawn from what
 * was declared, corrected by the history of user and queue. What will be submitted later is not known and not in it. Times
 * are right to a minute or 8 % of the time ahead.
 */
export function forecast(machine: Machine, now: TimeMs, options: ForecastOptions): Forecast[] {
  const copy = machine.clone()
  const { only } = options
  if (only) leaveOutWhoStandsBehind(copy, now, only)
  const wanted = [...copy.waiting.entries.values()].filter(
    ({ gang }) => !only || only.has(gangKey(gang.workload, gang.replica)),
  )
  const starts = new Map<Entry, TimeMs[]>(wanted.map((entry) => [entry, []]))
  const live = [...copy.live.values()].sort((a, b) => (a.attempt! < b.attempt! ? -1 : 1))
  for (let r = 0; r < options.replications; r++) new Replication(copy, now, live, starts, options, r).run()
  const rank = (share: number) => Math.ceil(share * options.replications) - 1
  return wanted.map((entry) => {
    const { workload, replica } = entry.gang
    const times = starts.get(entry)!.sort((a, b) => a - b)
    const p50 = times[rank(0.5)]
    const p90 = times[rank(0.9)]
    return {
      workload,
      replica,
      ...(p50 !== undefined && { p50 }),
      ...(p90 !== undefined && { p90 }),
    }
  })
}

/** Backfill delays nobody ahead of it, so those behind the last wanted gang do not matter and only cost time. */
function leaveOutWhoStandsBehind(machine: Machine, now: TimeMs, only: ReadonlySet<string>): void {
  const pass = new Pass(machine, now, { endNobody: true })
  pass.decide()
  const places = new PlacesInLine(pass)
  pass.rollback()
  let last = 0
  for (const [key, entry] of machine.waiting.entries)
    if (only.has(key)) last = Math.max(last, places.of(entry))
  const behind = [...machine.waiting.entries.values()].filter(
    (entry) => entry.lane && places.of(entry) > last,
  )
  for (const { gang } of behind) machine.dequeue(gang.workload, gang.replica)
}

/** One run forward, inside one transaction that is rolled back at the end. */
class Replication {
  private readonly machine: Machine
  private readonly from: TimeMs
  private readonly live: readonly Occupant[]
  private readonly starts: Map<Entry, TimeMs[]>
  private readonly seed: number
  private readonly firstStarts: number
  private readonly transaction: Transaction
  private readonly ends = new FlatQueue<Occupant>()
  private readonly started: Entry[] = []

  constructor(
    machine: Machine,
    from: TimeMs,
    live: readonly Occupant[],
    starts: Map<Entry, TimeMs[]>,
    options: ForecastOptions,
    replication: number,
  ) {
    this.machine = machine
    this.from = from
    this.live = live
    this.starts = starts
    this.seed = hash32(`${options.seed}/forecast/${replication}`)
    this.firstStarts = options.firstStarts ?? Number.POSITIVE_INFINITY
    this.transaction = new Transaction(machine.fleet)
  }

  run(): void {
    const { machine } = this
    const forgetUse = machine.queues.rememberEnded(this.from)
    const holds = [...machine.held]
    for (const occupant of this.live) this.ends.push(occupant, this.endOf(occupant, this.from))
    this.runForward()
    this.transaction.rollback(0)
    forgetUse()
    for (const entry of this.started) machine.waiting.restore(entry)
    machine.live.clear()
    for (const occupant of this.live) machine.live.set(occupant.attempt as AttemptId, occupant)
    // In the order in which they were placed, which later passes go by.
    machine.held.clear()
    for (const [id, held] of holds) machine.held.set(id, held)
  }

  private runForward(): void {
    let missing = this.starts.size
    let now = this.from
    let wakeAt = now
    for (;;) {
      // Actions that end others are tried where something has become due, not at each end.
      const pass = new Pass(this.machine, now, { transaction: this.transaction, endNobody: now < wakeAt })
      if (wakeAt <= now) wakeAt = Number.POSITIVE_INFINITY
      pass.decide()
      pass.keepDecisions()
      this.forgetHolds(pass)
      for (const { attempt } of pass.evictions) this.machine.live.delete(attempt)
      // What is started again has as much to do as before, and what was lost.
      for (const { before, after } of pass.restarted)
        this.ends.push(after, this.endOf(before, now) + lossOf(before, now) / (before.gpuMilli / 1000))
      for (const { entry, occupant, now: isNow } of pass.granted) {
        this.machine.waiting.remove(entry.gang.workload, entry.gang.replica)
        this.started.push(entry)
        this.ends.push(occupant, this.endOf(occupant, now))
        const times = this.starts.get(entry)
        if (!times) continue
        times.push(isNow ? now : now + this.machine.policy.evictionGraceMs)
        missing--
      }
      if (missing === 0 || this.started.length >= this.firstStarts) return
      wakeAt = Math.min(wakeAt, pass.nextPassAt)
      const next = Math.min(this.ends.peekValue() ?? Number.POSITIVE_INFINITY, pass.nextPassAt)
      if (next === Number.POSITIVE_INFINITY) return
      now = Math.max(next, now + Math.max(MINUTE_MS, RESOLUTION * (now - this.from)))
      this.endUntil(now)
    }
  }

  /** What the pass no longer keeps is free, and no later pass may give it back again. */
  private forgetHolds({ holds }: Pass): void {
    const kept = new Set(holds.map(({ id }) => id))
    for (const id of this.machine.held.keys()) if (!kept.has(id)) this.machine.held.delete(id)
  }

  private endUntil(now: TimeMs): void {
    const { machine, ends } = this
    for (let at = ends.peekValue(); at !== undefined && at <= now; at = ends.peekValue()) {
      const occupant = ends.pop()!
      // Evicted in this replication.
      if (!machine.fleet.occupants.has(occupant)) continue
      this.transaction.vacate(occupant)
      machine.queues.charge(occupant.user, occupant.model, occupant.gpuMilli, occupant.startedAt, at)
      if (occupant.attempt !== undefined) machine.live.delete(occupant.attempt)
    }
  }

  private endOf({ gang, startedAt, stopping }: Occupant, now: TimeMs): TimeMs {
    if (stopping) return now + this.machine.policy.evictionGraceMs
    const u = this.uniform(gang.workload)
    const told = toldEndAt(gang, startedAt, now, u)
    if (told !== undefined) return told
    const ran = now - startedAt
    return startedAt + Math.max(ran + 1, this.machine.history.quantile(gang, ran, u))
  }

  /** In [0, 1), for this gang in this replication, whatever else happens in it: what-if comparisons share their luck. */
  private uniform(workload: string): number {
    let x = hash32(workload) ^ this.seed
    // The finisher of MurmurHash3 (Appleby), which spreads the bits of a weak hash.
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32
  }
}
