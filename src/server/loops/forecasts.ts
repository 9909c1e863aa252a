import { setImmediate as nextTurn } from 'node:timers/promises'
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
  #isMaking = false
  #timer: NodeJS.Timeout | undefined

  constructor(ledger: Ledger, clock: Clock, log: Log) {
    this.#ledger = ledger
    this.#clock = clock
    this.#log = log
  }

  start(): void {
    this.#timer = setInterval(() => void this.#renew(), SHORTEST_SPACING_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** The newest forecast of a workload that waits; none when it is too far back, or can never start. */
  of(workload: WorkloadId): StartForecast | undefined {
    return this.#forecasts.get(workload)
  }

  async #renew(): Promise<void> {
    const { lastSequence } = this.#ledger.state
    if (this.#isMaking || lastSequence === this.#madeFor || performance.now() < this.#notBefore) return
    this.#isMaking = true
    this.#madeFor = lastSequence
    try {
      this.#forecasts = await this.#make()
      this.#record(this.#forecasts)
    } catch (error) {
      // Nothing hangs on a forecast: the work goes on without.
      this.#log.error({ err: error }, 'start times could not be forecast')
      this.#forecasts = new Map()
    }
    this.#isMaking = false
  }

  /** One replication in each turn of the event loop, so that no caller waits for all of them. */
  async #make(): Promise<ReadonlyMap<WorkloadId, StartForecast>> {
    const madeAt = this.#clock.now()
    const machine = this.#ledger.state.derived.machine.clone()
    const starts = new Map<WorkloadId, number[]>()
    let busyMs = 0
    for (let seed = 0; seed < REPLICATIONS; seed++) {
      const begin = performance.now()
      const options = { replications: 1, seed, firstStarts: FIRST_STARTS }
      const drawn = new Map<WorkloadId, number>()
      for (const { workload, p50 } of forecast(machine, madeAt, options)) {
        if (p50 !== undefined) drawn.set(workload, Math.min(p50, drawn.get(workload) ?? p50))
      }
      for (const [workload, start] of drawn) starts.set(workload, [...(starts.get(workload) ?? []), start])
      busyMs += performance.now() - begin
      await nextTurn()
    }
    this.#notBefore = performance.now() + busyMs / LARGEST_SHARE
    return new Map([...starts].flatMap(([workload, times]) => summary(workload, times, madeAt)))
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

/** Quantiles of the starts drawn; none where too few replications started it. */
function summary(workload: WorkloadId, starts: number[], madeAt: number): [WorkloadId, StartForecast][] {
  starts.sort((a, b) => a - b)
  const at = (share: number) => starts[Math.ceil(share * REPLICATIONS) - 1]
  const [p50, p90] = [at(0.5), at(0.9)]
  if (p50 === undefined || p90 === undefined) return []
  return [[workload, { madeAt, p50At: Math.round(p50), p90At: Math.round(p90), replications: REPLICATIONS }]]
}
