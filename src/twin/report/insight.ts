import type { TimeMs } from '../../base/index.ts'
import type { LoggedEvent } from '../../control/index.ts'
import type { Run, RunEnd } from '../fleet/run.ts'
import type { Observer, World } from '../world/world.ts'
import type { WorldSetup } from '../world/world-setup.ts'
import {
  bySize,
  byTenant,
  fairness,
  type GroupFigures,
  slowdownDistribution,
  waitDistribution,
} from './breakdown.ts'
import { FleetUseMeter, type FleetUseRecord } from './fleet-use.ts'
import { JobLog, type JobLogRecord } from './job-log.ts'
import { type MachinesFigures, machinesFigures } from './machines-held.ts'
import { type ServingFigures, ServingLog, type ServingLogRecord } from './serving-log.ts'
import type { Series } from './step-series.ts'
import { type Summary, summarise } from './summary.ts'
import { type WasteLine, WasteMeter, type WasteSums, wasteLedger } from './waste.ts'

/** Everything that is told of one run. It follows from the setup alone. */
export interface RunReport {
  readonly policy: string
  readonly seed: number
  readonly gpuCount: number
  readonly summary: Summary
  readonly states: Readonly<Record<string, number>>
  readonly refused: number
  readonly series: Series
  readonly bySize: readonly GroupFigures[]
  readonly byTenant: readonly GroupFigures[]
  readonly fairness: number
  /** Share of jobs that waited at most each of `WAIT_SPANS_MS`. */
  readonly waits: readonly number[]
  /** Share of jobs whose slow-down was at most each of `SLOWDOWNS`. */
  readonly slowdowns: readonly number[]
  readonly waste: readonly WasteLine[]
  readonly pricePerGpuHour: number
  /** Share of the GPU-time held that went into work that was kept. */
  readonly goodput: number
  readonly interruptions: Interruptions
  /** Of each model that is served, in order of submission. */
  readonly serving: readonly ServingFigures[]
  /** Of the machines that people asked for, by name. */
  readonly machines: readonly MachinesFigures[]
  readonly hash: string
}

export interface Interruptions {
  /** Attempts that the platform or their own program ended before their time, by class of failure. */
  readonly byClass: Readonly<Record<string, number>>
  readonly count: number
  /** Time of all attempts over interruptions, in hours; infinite when there was none. */
  readonly meanHoursBetween: number
}

/** All that was seen of a world in the middle of its run, as plain data. */
export interface InsightRecord {
  readonly log: JobLogRecord
  readonly use: FleetUseRecord
  readonly waste: WasteSums
  readonly serving: ServingLogRecord
  readonly failures: readonly (readonly [string, number])[]
  readonly lastAt: TimeMs
}

export const WAIT_SPANS_MS: readonly number[] = [
  0, 1e3, 1e4, 6e4, 3e5, 9e5, 1.8e6, 3.6e6, 1.08e7, 2.16e7, 4.32e7, 8.64e7, 1.728e8, 3.456e8, 6.912e8,
]

export const SLOWDOWNS: readonly number[] = [1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 20, 50, 100]

/** Watches one world and tells what came of it. */
export class Insight implements Observer {
  readonly log = new JobLog()
  readonly #setup: WorldSetup
  readonly #use: FleetUseMeter
  readonly #waste = new WasteMeter()
  readonly #serving = new ServingLog()
  readonly #failures = new Map<string, number>()
  readonly #price: number
  #lastAt: TimeMs

  constructor(setup: WorldSetup, pricePerGpuHour: number) {
    this.#setup = setup
    this.#use = new FleetUseMeter(setup.nodes, setup.startMs)
    this.#price = pricePerGpuHour
    this.#lastAt = setup.startMs
  }

  readonly onEvents = (events: readonly LoggedEvent[]): void => {
    for (const logged of events) {
      this.#use.passTo(logged.at)
      this.#serving.take(logged)
      this.#take(logged)
    }
  }

  #take({ at, event }: LoggedEvent): void {
    switch (event.kind) {
      case 'workload-submitted':
        this.#use.submitted(this.log.submitted(event, at), event.spec)
        return
      case 'attempt-planned':
        this.#use.planned(this.log.planned(event, at), event.allocation)
        return
      case 'attempt-ended':
        this.#use.attemptEnded(this.log.attemptEnded(event), event.retry !== undefined)
        if (event.failure) {
          const { class: name } = event.failure
          this.#failures.set(name, (this.#failures.get(name) ?? 0) + 1)
        }
        return
      case 'workload-finished':
        this.#use.finished(this.log.finished(event, at))
        this.#lastAt = at
        return
      case 'node-moved':
        this.#use.nodeMoved(event.node, event.to === 'down')
        return
      default:
        return
    }
  }

  readonly onRunEnd = (run: Run, end: RunEnd): void => this.#waste.take(run, end)

  record(): InsightRecord {
    return {
      log: this.log.record(),
      use: this.#use.record(),
      waste: { ...this.#waste.sums },
      serving: this.#serving.record(),
      failures: [...this.#failures],
      lastAt: this.#lastAt,
    }
  }

  /** Knows what was known when the record was made, and nothing else. */
  load({ log, use, waste, serving, failures, lastAt }: InsightRecord): void {
    this.log.load(log)
    this.#use.load(use)
    Object.assign(this.#waste.sums, waste)
    this.#serving.load(serving)
    this.#failures.clear()
    for (const [name, count] of failures) this.#failures.set(name, count)
    this.#lastAt = lastAt
  }

  report(world: World): RunReport {
    const { seed, startMs, nodes, policy } = this.#setup
    const gpuCount = nodes.reduce((sum, node) => sum + node.gpuCount, 0)
    const endMs = world.openJobs === 0 ? this.#lastAt : world.nowMs
    const use = this.#use.use(endMs)
    // How long a model is served or a machine is held says nothing of how jobs fare.
    const jobs = this.log.jobs.filter(({ type }) => type === 'train')
    const ended = jobs.filter((job) => job.endedAt !== undefined)
    const tenants = byTenant(ended)
    const { sums } = this.#waste
    const heldUs = Object.values(sums).reduce((sum, part) => sum + part, 0)
    const states: Record<string, number> = {}
    for (const { state } of this.log.jobs) states[state] = (states[state] ?? 0) + 1
    return {
      policy: policy.name,
      seed,
      gpuCount,
      summary: summarise(jobs, {
        gpuCount,
        heldGpuMs: use.heldGpuMs,
        sinceMs: this.log.jobs[0]?.submittedAt ?? endMs,
        untilMs: endMs,
      }),
      states,
      refused: world.refused.length,
      series: use.series,
      bySize: bySize(ended),
      byTenant: tenants,
      fairness: fairness(tenants),
      waits: waitDistribution(ended, WAIT_SPANS_MS),
      slowdowns: slowdownDistribution(ended, SLOWDOWNS),
      pricePerGpuHour: this.#price,
      waste: wasteLedger(sums, use, gpuCount, endMs - startMs, this.#price),
      goodput: heldUs > 0 ? sums.useful / heldUs : 0,
      interruptions: this.#interruptions(),
      serving: this.#serving.figures((workload) => world.jobOfWorkload(workload).served, endMs),
      machines: machinesFigures(this.log.jobs, (workload) => world.jobOfWorkload(workload).behaviour.hold),
      hash: world.hash.digest(),
    }
  }

  #interruptions(): Interruptions {
    const byClass = Object.fromEntries([...this.#failures].sort(([a], [b]) => (a < b ? -1 : 1)))
    const count = Object.values(byClass).reduce((sum, each) => sum + each, 0)
    const heldMs = this.log.jobs.reduce((sum, { heldMs }) => sum + heldMs, 0)
    return {
      byClass,
      count,
      meanHoursBetween: count > 0 ? heldMs / count / 3_600_000 : Number.POSITIVE_INFINITY,
    }
  }
}
