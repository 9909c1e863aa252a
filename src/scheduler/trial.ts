import type { TimeMs } from '../base/index.ts'
import type { Reservation } from '../model/index.ts'
import type { QueuedGang } from './gang.ts'
import type { Machine } from './machine.ts'
import { planPass } from './pass.ts'
import type { Entry } from './waiting.ts'

/** A change to a queued gang, or a calendar window that is taken away. */
export type Trial = { readonly gang: QueuedGang } | { readonly without: Reservation }

/**
 * Whether the gang starts in a pass of its own over the machine with the change made, in which everybody has their turn:
 * others may take what falls free. The machine, in which no other pass may stand open, is left as it was.
 */
export function comesTrue(machine: Machine, now: TimeMs, entry: Entry, trial: Trial): boolean {
  return 'gang' in trial
    ? startsAs(machine, now, entry, trial.gang)
    : startsWithout(machine, now, entry, trial.without)
}

function startsAs(machine: Machine, now: TimeMs, entry: Entry, changed: QueuedGang): boolean {
  machine.updateQueued(changed)
  const starts = isStarted(machine, now, changed)
  // The line's own entry comes back, with the key that was fixed when it entered.
  machine.waiting.remove(changed.workload, changed.replica)
  machine.waiting.restore(entry)
  machine.fleet.mix.forget(changed.request)
  machine.fleet.mix.enter(entry.gang.request)
  return starts
}

function startsWithout(machine: Machine, now: TimeMs, { gang }: Entry, window: Reservation): boolean {
  machine.reservations.delete(window.id)
  const starts = isStarted(machine, now, gang)
  machine.reservations.set(window.id, window)
  return starts
}

function isStarted(machine: Machine, now: TimeMs, { workload, replica }: QueuedGang): boolean {
  return planPass(machine, now).starts.some(
    (start) => start.workload === workload && start.replica === replica,
  )
}
