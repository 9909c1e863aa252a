import type { AttemptId } from '../../base/index.ts'
import type { Attempt, ServeSpec } from '../../model/index.ts'
import { SYSTEM } from '../../model/index.ts'
import type { Ledger } from '../ledger.ts'

const SWEEP_MS = 500
/** A ready replica is taken out of the gateway after so many failed probes in a row; one is enough to come back. */
const FAILURES_UNTIL_UNREADY = 3

/** Asks each running replica over HTTP whether it is ready, and tells the ledger when the answer changes. */
export class ReadinessProbes {
  readonly #ledger: Ledger
  readonly #failures = new Map<AttemptId, number>()
  readonly #nextAt = new Map<AttemptId, number>()
  readonly #asking = new Set<AttemptId>()
  #timer: NodeJS.Timeout | undefined

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  start(): void {
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #sweep(): void {
    const { state } = this.#ledger
    const now = performance.now()
    for (const id of this.#nextAt.keys()) if (!state.attempts.has(id)) this.#nextAt.delete(id)
    for (const id of this.#failures.keys()) if (!state.attempts.has(id)) this.#failures.delete(id)
    for (const workload of state.workloads.values()) {
      const { spec } = workload
      if (spec.type !== 'serve') continue
      for (const id of workload.liveAttempts) {
        const attempt = state.attempts.get(id)
        if (attempt?.state !== 'running' || attempt.address === undefined) continue
        if (this.#asking.has(id) || (this.#nextAt.get(id) ?? 0) > now) continue
        this.#nextAt.set(id, now + spec.readiness.everyMs)
        this.#asking.add(id)
        void this.#probe(attempt, spec).finally(() => this.#asking.delete(id))
      }
    }
  }

  async #probe(attempt: Attempt, spec: ServeSpec): Promise<void> {
    const { ready, detail } = await ask(
      `http://${attempt.address}${spec.readiness.path}`,
      spec.readiness.timeoutMs,
    )
    const failures = ready ? 0 : (this.#failures.get(attempt.id) ?? 0) + 1
    this.#failures.set(attempt.id, failures)
    if (ready === attempt.ready || (attempt.ready && failures < FAILURES_UNTIL_UNREADY)) return
    await this.#ledger.execute({ kind: 'probe', attempt: attempt.id, ready, detail }, SYSTEM).catch(() => {})
  }
}

async function ask(url: string, timeoutMs: number): Promise<{ ready: boolean; detail: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'manual' })
    await response.body?.cancel()
    return { ready: response.ok, detail: `${response.status}` }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return { ready: false, detail: cause instanceof Error ? cause.message : String(cause) }
  }
}
