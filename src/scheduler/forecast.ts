import FlatQueue from 'flatqueue'
import type { AttemptId, TimeMs, WorkloadId } from '../base/index.ts'
import { id, MINUTE_MS, randomStream } from '../base/index.ts'
import { gangKey } from './gang.ts'
import type { Machine } from './machine.ts'
import { planPass } from './pass.ts'

/** When a queued gang will start, over seeded replications of the core run forward. */
export interface Forecast {
  readonly workload: WorkloadId
  readonly replica: number
  /** Half of the replications started it by then; absent when fewer did within the horizon. */
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

/** The start times of what is queued: the core run forward in virtual time, with run times drawn from history. */
export function forecast(machine: Machine, now: TimeMs, options: ForecastOptions): Forecast[] {
  const starts = new Map<string, TimeMs[]>()
  for (let r = 0; r < options.replications; r++) replicate(machine.clone(), now, r, options, starts)
  const rank = (share: number) => Math.ceil(share * options.replications) - 1
  const forecasts: Forecast[] = []
  for (const [key, { gang }] of machine.waiting.entries) {
    if (options.only && !options.only.has(key)) continue
    const times = (starts.get(key) ?? []).sort((a, b) => a - b)
    const p50 = times[rank(0.5)]
    const p90 = times[rank(0.9)]
    forecasts.push({
      workload: gang.workload,
      replica: gang.replica,
      ...(p50 !== undefined && { p50 }),
      ...(p90 !== undefined && { p90 }),
    })
  }
  return forecasts
}

function replicate(
  machine: Machine,
  from: TimeMs,
  replication: number,
  options: ForecastOptions,
  starts: Map<string, TimeMs[]>,
): void {
  const random = randomStream(options.seed, `forecast/${replication}`)
  const ends = new FlatQueue<AttemptId>()
  for (const attempt of [...machine.live.keys()].sort()) {
    const { gang, startedAt } = machine.attempt(attempt)
    const ran = from - startedAt
    ends.push(attempt, startedAt + Math.max(ran + 1, machine.history.draw(gang, ran, random.fork(attempt))))
  }
  let wanted = options.only ? options.only.size : machine.waiting.entries.size
  let left = options.firstStarts ?? Number.POSITIVE_INFINITY
  let now = from
  for (;;) {
    const plan = planPass(machine, now)
    for (const start of plan.starts) {
      const { gang } = machine.waiting.get(start.workload, start.replica)!
      const key = gangKey(start.workload, start.replica)
      const attempt = id<AttemptId>(`${key} forecast`)
      machine.start({ ...gang, attempt, allocation: start.allocation, startedAt: now, stopping: false })
      ends.push(attempt, now + Math.max(1, machine.history.draw(gang, 0, random.fork(key))))
      if (!options.only || options.only.has(key)) {
        wanted--
        const times = starts.get(key)
        if (times) times.push(now)
        else starts.set(key, [now])
      }
      left--
    }
    if (wanted <= 0 || left <= 0) return
    const nextEnd = ends.peekValue()
    const next = Math.min(nextEnd ?? Infinity, plan.nextPassAt ?? Infinity)
    if (next === Infinity) return
    now = Math.max(next, now)
    // What ends within the same minute is looked at together.
    const until = nextEnd !== undefined && nextEnd <= next ? now + MINUTE_MS : now
    for (let end = ends.peekValue(); end !== undefined && end <= until; end = ends.peekValue()) {
      now = Math.max(now, end)
      machine.end(ends.pop()!, end)
    }
  }
}
