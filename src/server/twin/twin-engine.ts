import { randomUUID } from 'node:crypto'
import { FactFeed } from '../../adapters/engine-shared/fact-feed.ts'
import type { AttemptId } from '../../base/index.ts'
import type {
  Engine,
  EngineFact,
  EngineInventory,
  LaunchOrder,
  LogChunk,
  Observation,
  StopOrder,
} from '../../control/index.ts'
import type { LiveFleet, LiveTroubles } from '../../twin/index.ts'
import type { Log } from '../log.ts'
import type { TwinClock } from './twin-clock.ts'
import type { TwinLogs } from './twin-logs.ts'

/** With nothing to tell, an observer is let go after so long. */
const PATIENCE_MS = 30_000

const OUT_OF_REACH = 'the machine of the twin is out of reach for a while (--control-faults)'

/** The simulated machine as an engine: every call first lets happen what is due by its clock. */
export class TwinEngine implements Engine {
  readonly id = 'twin'
  readonly #fleet: LiveFleet
  readonly #clock: TwinClock
  readonly #logs: TwinLogs
  readonly #troubles: LiveTroubles | undefined
  readonly #log: Log
  readonly #feed = new FactFeed(randomUUID(), () => this.#tellAll())
  #told = 0
  #observed = 0

  constructor(
    fleet: LiveFleet,
    clock: TwinClock,
    logs: TwinLogs,
    troubles: LiveTroubles | undefined,
    log: Log,
  ) {
    this.#fleet = fleet
    this.#clock = clock
    this.#logs = logs
    this.#troubles = troubles
    this.#log = log
  }

  /** Facts that nobody has come back from yet, where somebody could. */
  get unobserved(): number {
    return this.#troubles?.isAway ? 0 : this.#told - this.#observed
  }

  /** Lets all happen that is due. */
  catchUp(): void {
    this.#fleet.advance(this.#clock.now() * 1000)
    const arisen = this.#fleet.engine.takeFacts()
    const facts = this.#troubles ? this.#troubled(this.#troubles, arisen) : arisen
    if (facts.length === 0) return
    this.#told += facts.length
    this.#feed.publish(...facts)
  }

  async inventory(): Promise<EngineInventory> {
    this.#reach()
    return this.#fleet.engine.inventory()
  }

  async launch(order: LaunchOrder): Promise<void> {
    this.#reach()
    this.#fleet.engine.launch(order, this.#fleet.now)
    this.catchUp()
  }

  async stop(attempt: AttemptId, how: StopOrder): Promise<void> {
    this.#reach()
    this.#fleet.engine.stop(attempt, how, this.#fleet.now)
    this.catchUp()
  }

  async forget(attempt: AttemptId): Promise<void> {
    this.#reach()
    this.#fleet.engine.forget(attempt)
  }

  async observe(cursor: string | undefined, signal: AbortSignal): Promise<Observation> {
    this.#reach()
    // Whoever asks for more has taken in what was told before.
    this.#observed = this.#told
    return this.#feed.observe(cursor, signal, PATIENCE_MS)
  }

  async logs(attempt: AttemptId, task: number, from: number): Promise<LogChunk> {
    this.#reach()
    return this.#logs.read(attempt, task, from, this.#fleet)
  }

  async close(): Promise<void> {
    this.#feed.close()
  }

  /** Every call from the server begins here: all happens that is due, and it fails while the machine is out of reach. */
  #reach(): void {
    this.catchUp()
    if (this.#troubles?.isAway) throw new Error(OUT_OF_REACH)
  }

  /** What of these facts, and of those before, the server gets to know now. */
  #troubled(troubles: LiveTroubles, facts: readonly EngineFact[]): readonly EngineFact[] {
    const wasAway = troubles.isAway
    const through = troubles.pass(facts, this.#fleet.now)
    if (troubles.isAway !== wasAway) {
      this.#log.warn(troubles.isAway ? OUT_OF_REACH : 'the machine of the twin can be reached again')
      // Whoever waits for facts comes back, and finds out.
      this.#feed.publish()
    }
    return through
  }

  #tellAll(): EngineFact[] {
    this.#fleet.advance(this.#clock.now() * 1000)
    const facts = this.#fleet.engine.tellAll(this.#fleet.now)
    this.#fleet.engine.takeFacts()
    this.#troubles?.toldAll()
    return [...facts]
  }
}
