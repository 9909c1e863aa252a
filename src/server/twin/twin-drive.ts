import type { Arrival, Arrivals, LiveFleet } from '../../twin/index.ts'
import type { Ledger } from '../ledger.ts'
import type { Log } from '../log.ts'
import type { TwinClock } from './twin-clock.ts'
import type { TwinEngine } from './twin-engine.ts'

const TICK_MS = 50
/** Programs that are heard of in a second of the wall's time, whatever the speed. */
const HEARD_PER_SECOND = 40
/** With more than this on the server's desk, time waits for it. */
const MOST_PENDING = 1_000
const PACE_CHECK_MS = 60_000
/** Below this share of the speed asked for it is worth a word. */
const SLOW_SHARE = 0.9

interface Parts {
  readonly fleet: LiveFleet
  readonly engine: TwinEngine
  readonly clock: TwinClock
  readonly arrivals: Arrivals
  /** What came before and was not taken when the server was killed. */
  readonly missed: readonly Arrival[]
  readonly foundedAt: number
  readonly log: Log
}

/**
 * Lets time pass on a twin's machine: what is due happens, people submit, programs tell how far they are. Where the
 * server cannot keep up, time goes more slowly instead of piling work up.
 */
export class TwinDrive {
  readonly #parts: Parts
  readonly #ledger: Ledger
  #timer: NodeJS.Timeout
  #submitting = 0
  #unheard = 0
  #tickedAt = performance.now()
  #checked: { readonly wall: number; readonly virtual: number }

  constructor(parts: Parts, ledger: Ledger) {
    this.#parts = parts
    this.#ledger = ledger
    this.#checked = { wall: performance.now(), virtual: parts.clock.now() }
    for (const arrival of parts.missed) this.#submit(arrival)
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const { fleet, engine, clock, arrivals, foundedAt } = this.#parts
    clock.hold(this.#submitting + engine.unobserved > MOST_PENDING)
    const now = clock.now()
    engine.catchUp()
    while (foundedAt + arrivals.nextAt() <= now && this.#submitting < MOST_PENDING)
      this.#submit(arrivals.take())
    const wall = performance.now()
    this.#unheard += ((wall - this.#tickedAt) * HEARD_PER_SECOND) / 1000
    this.#tickedAt = wall
    const heard = Math.min(Math.floor(this.#unheard), HEARD_PER_SECOND)
    if (heard > 0) {
      this.#unheard = 0
      fleet.tellProgress(heard)
      engine.catchUp()
    }
    this.#checkPace(wall, now)
  }

  #submit({ owner, spec, key }: Arrival): void {
    this.#submitting++
    void this.#ledger
      .execute(
        { kind: 'submit', owner, specs: [spec], ended: new Map(), submission: { key, requestHash: key } },
        { kind: 'user', id: owner.user },
      )
      .catch((error: unknown) => this.#parts.log.warn({ err: error, key }, 'a submission was not taken'))
      .finally(() => {
        this.#submitting--
      })
  }

  #checkPace(wall: number, virtual: number): void {
    const passed = wall - this.#checked.wall
    if (passed < PACE_CHECK_MS) return
    const speed = (virtual - this.#checked.virtual) / passed
    this.#checked = { wall, virtual }
    const { clock, log } = this.#parts
    if (speed < clock.speed * SLOW_SHARE)
      log.info({ speed: Math.round(speed), wanted: clock.speed }, 'the twin goes slower than asked for')
  }
}
