import type { TimeMs } from '../base/index.ts'
import type { Actor } from '../model/index.ts'
import type { Context } from './command.ts'
import type { Effect } from './effect.ts'
import type { Event, LoggedEvent } from './event.ts'
import { evolve } from './evolve/index.ts'
import type { FailureClasses } from './failure-classes.ts'
import type { ControlState } from './state.ts'

/**
 * What a decision writes into: each event is numbered and evolved at once, so that the next step of the same
 * decision sees its result and no rule is written twice.
 */
export class Recorder {
  readonly state: ControlState
  readonly now: TimeMs
  readonly events: LoggedEvent[] = []
  readonly effects: Effect[] = []
  nextPassAt: TimeMs | undefined
  readonly actor: Actor
  readonly failureClasses: FailureClasses
  readonly #cause: string

  constructor(state: ControlState, context: Context, cause: string) {
    this.state = state
    this.now = Math.max(context.now, state.now)
    this.actor = context.actor
    this.failureClasses = context.failureClasses
    this.#cause = cause
  }

  emit(event: Event, actor: Actor = this.actor): void {
    const logged = { sequence: this.state.lastSequence + 1, at: this.now, actor, cause: this.#cause, event }
    evolve(this.state, logged)
    this.events.push(logged)
  }

  effect(effect: Effect): void {
    this.effects.push(effect)
  }
}
