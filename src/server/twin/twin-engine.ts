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
import type { LiveFleet } from '../../twin/index.ts'
import type { TwinClock } from './twin-clock.ts'
import type { TwinLogs } from './twin-logs.ts'

/** With nothing to tell, an observer is let go after so long. */
const PATIENCE_MS = 30_000

/** The simulated machine as an engine: every call first lets happen what is due by its clock. */
export class TwinEngine implements Engine {
  readonly id = 'twin'
  readonly #fleet: LiveFleet
  readonly #clock: TwinClock
  readonly #logs: TwinLogs
  readonly #feed = new FactFeed(randomUUID(), () => this.#tellAll())
  #told = 0
  #observed = 0

  constructor(fleet: LiveFleet, clock: TwinClock, logs: TwinLogs) {
    this.#fleet = fleet
    this.#clock = clock
    this.#logs = logs
  }

  /** Facts that nobody has come back from yet. */
  get unobserved(): number {
    return this.#told - this.#observed
  }

  /** Lets all happen that is due. */
  catchUp(): void {
    this.#fleet.advance(this.#clock.now() * 1000)
    const facts = this.#fleet.engine.takeFacts()
    if (facts.length === 0) return
    this.#told += facts.length
    this.#feed.publish(...facts)
  }

  async inventory(): Promise<EngineInventory> {
    return this.#fleet.engine.inventory()
  }

  async launch(order: LaunchOrder): Promise<void> {
    this.catchUp()
    this.#fleet.engine.launch(order, this.#fleet.now)
    this.catchUp()
  }

  async stop(attempt: AttemptId, how: StopOrder): Promise<void> {
    this.catchUp()
    this.#fleet.engine.stop(attempt, how, this.#fleet.now)
    this.catchUp()
  }

  async forget(attempt: AttemptId): Promise<void> {
    this.#fleet.engine.forget(attempt)
  }

  observe(cursor: string | undefined, signal: AbortSignal): Promise<Observation> {
    // Whoever asks for more has taken in what was told before.
    this.#observed = this.#told
    return this.#feed.observe(cursor, signal, PATIENCE_MS)
  }

  async logs(attempt: AttemptId, task: number, from: number): Promise<LogChunk> {
    this.catchUp()
    return this.#logs.read(attempt, task, from, this.#fleet)
  }

  async close(): Promise<void> {
    this.#feed.close()
  }

  #tellAll(): EngineFact[] {
    this.#fleet.advance(this.#clock.now() * 1000)
    const facts = this.#fleet.engine.tellAll(this.#fleet.now)
    this.#fleet.engine.takeFacts()
    return [...facts]
  }
}
