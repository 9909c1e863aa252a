import type { WorkloadId } from '../../base/index.ts'
import type { StartForecast } from '../../model/index.ts'
import { SYSTEM } from '../../model/index.ts'
import { forecast } from '../../scheduler/index.ts'
import type { Clock } from '../clock.ts'
import type { Ledger } from '../ledger.ts'
import type { Log } from '../log.ts'

const REPLICATIONS = 16
/** Starts that one replication follows: whoever stands further back is told no time rather than a late one. */
const FIRST_STARTS = 500
const SEED = 1
const SHORTEST_SPACING_MS = 2_000
/** Forecasting takes at most this share of the server's time. */
const LARGEST_SHARE = 0.05

/**
 * When queued workloads will start: the core run forward from the live state, made again at most every few seconds
 * while anything changes. The first forecast of each workload goes on record to be scored.
 */
export class StartForecasts {
  readonly #ledger: Ledger
  readonly #clock: Clock
  readonly #log: Log
  #forecasts: ReadonlyMap<WorkloadId, StartForecast> = new Map()
  #madeFor = -1
  #notBefore = 0
  #timer: NodeJS.Timeout | undefined

  constructor(ledger: Ledger, clock: Clock, log: Log) {
    this.#ledger = ledger
    this.#clock = clock
    this.#log = log
  }

  start(): void {
    this.#timer = setInterval(() => this.#renew(), SHORTEST_SPACING_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** The newest forecast of a workload that waits; none when it is too far back, or can never start. */
  of(workload: WorkloadId): StartForecast | undefined {
    return this.#forecasts.get(workload)
  }

  #renew(): void {
    const { state } = this.#ledger
    const begin = performance.now()
    if (state.lastSequence === this.#madeFor || begin < this.#notBefore) return
    this.#madeFor = state.lastSequence
    try {
      this.#forecasts = this.#make()
      this.#record(this.#forecasts)
    } catch (error) {
      // Nothing hangs on a forecast: the work goes on without.
      this.#log.error({ err: error }, 'start times could not be forecast')
      this.#forecasts = new Map()
    }
    const end = performance.now()
    this.#notBefore = end + (end - begin) / LARGEST_SHARE
  }

  #make(): ReadonlyMap<WorkloadId, StartForecast> {
    const madeAt = this.#clock.now()
    const made = new Map<WorkloadId, StartForecast>()
    const options = { replications: REPLICATIONS, seed: SEED, firstStarts: FIRST_STARTS }
    const { machine } = this.#ledger.state.derived
    for (const { workload, p50, p90 } of forecast(machine, madeAt, options)) {
      if (p50 === undefined || p90 === undefined || made.has(workload)) continue
      made.set(workload, {
        madeAt,
        p50At: Math.round(p50),
        p90At: Math.round(p90),
        replications: REPLICATIONS,
      })
    }
    return made
  }

  #record(made: ReadonlyMap<WorkloadId, StartForecast>): void {
    const { workloads } = this.#ledger.state
    const unrecorded = [...made].filter(([workload]) => !workloads.get(workload)?.forecast)
    if (unrecorded.length === 0) return
    void this.#ledger
      .execute({ kind: 'record-forecasts', forecasts: new Map(unrecorded) }, SYSTEM)
      .catch(() => {})
  }
}
