import { setTimeout as pause } from 'node:timers/promises'
import { MachineChanges, machineView } from '../machine-view.ts'
import type { HandlersOf } from './part.ts'

/** Changes are told at most this often, so that a busy machine costs a reader no more than a glance does. */
const SPACING_MS = 250

export const machineHandlers: HandlersOf<'getMachine' | 'followMachine'> = {
  getMachine: async (_input, { ledger, caller, clock }) =>
    machineView(ledger.state, caller.user, clock.now()),
  followMachine: async function* (_input, { ledger, caller, clock, signal }) {
    const changes = new MachineChanges(caller.user)
    let wake: () => void = () => {}
    const unsubscribe = ledger.subscribe((events) => {
      changes.see(events)
      wake()
    })
    const onAbort = () => wake()
    signal.addEventListener('abort', onAbort)
    try {
      while (!signal.aborted) {
        if (changes.isPending) {
          await ledger.settled()
          const told = changes.take(ledger.state, clock.now())
          yield { ...told, id: `${told.data.revision}` }
          await pause(SPACING_MS, undefined, { signal }).catch(() => {})
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    } finally {
      unsubscribe()
      signal.removeEventListener('abort', onAbort)
    }
  },
}
