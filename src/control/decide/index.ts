import { unreachable } from '../../base/index.ts'
import type { Command, Context } from '../command.ts'
import type { Decision, Rejection } from '../effect.ts'
import { Recorder } from '../recorder.ts'
import type { ControlState } from '../state.ts'
import { decideAdmin } from './admin.ts'
import { recordForecasts } from './forecasts.ts'
import { nodeAction, observeContact, observeInventory, renameNode } from './nodes.ts'
import { observe } from './observe.ts'
import { probe } from './probe.ts'
import { cancelReservation, reserve } from './reservations.ts'
import { schedule } from './schedule.ts'
import { scale, stop } from './stop.ts'
import { submit } from './submit.ts'
import { tick } from './tick.ts'

/**
 * What follows from a command: events, already evolved into the state, and effects to run once the events are
 * durable; or a rejection, which leaves the state as it was. The same state, command and context always give the
 * same decision (S10). A clock that stepped back is read as standing still.
 */
export function decide(state: ControlState, command: Command, context: Context): Decision {
  const recorder = new Recorder(state, context, command.kind)
  const rejection = dispatch(recorder, command)
  if (rejection) return { ok: false, rejection }
  const { events, effects, nextPassAt } = recorder
  return nextPassAt === undefined ? { ok: true, events, effects } : { ok: true, events, effects, nextPassAt }
}

/** Every rejection comes before the first event. */
function dispatch(recorder: Recorder, command: Command): Rejection | undefined {
  switch (command.kind) {
    case 'submit':
      return submit(recorder, command)
    case 'stop':
      return stop(recorder, command)
    case 'scale':
      return scale(recorder, command)
    case 'schedule':
      return schedule(recorder)
    case 'tick':
      return tick(recorder)
    case 'observe':
      return observe(recorder, command)
    case 'inventory':
      return observeInventory(recorder, command.inventory)
    case 'contact':
      return observeContact(recorder, command.contact)
    case 'probe':
      return probe(recorder, command)
    case 'node-action':
      return nodeAction(recorder, command)
    case 'rename-node':
      return renameNode(recorder, command.node, command.to)
    case 'record-forecasts':
      return recordForecasts(recorder, command.forecasts)
    case 'reserve':
      return reserve(recorder, command.reservation)
    case 'cancel-reservation':
      return cancelReservation(recorder, command.reservation)
    case 'create-organisation':
    case 'create-team':
    case 'set-user':
    case 'remove-user':
    case 'issue-token':
    case 'revoke-token':
    case 'set-queue':
    case 'set-policy':
    case 'apply-policy':
    case 'set-prices':
      return decideAdmin(recorder, command)
    default:
      return unreachable(command)
  }
}
