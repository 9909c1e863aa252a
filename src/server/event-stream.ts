import type { LoggedEvent } from '../control/index.ts'
import type { CallContext } from './context.ts'

const PAGE = 500
/** A reader that falls further behind than this is read for from the store instead of from memory. */
const LONGEST_BACKLOG = 10_000

/**
 * Every durable event after that sequence number (from now on without one), in order and without a gap, until the
 * caller goes away. What was stored before comes from the store, what follows from the ledger.
 */
export async function* eventsAfter(
  context: Pick<CallContext, 'ledger' | 'store' | 'signal'>,
  after: number | undefined,
): AsyncGenerator<LoggedEvent> {
  const { ledger, store, signal } = context
  // A number that the log has not reached comes from before a restore.
  let last = Math.min(after ?? Number.POSITIVE_INFINITY, ledger.state.lastSequence)
  let backlog: LoggedEvent[] = []
  let wake: () => void = () => {}
  const unsubscribe = ledger.subscribe((events) => {
    backlog.push(...events)
    if (backlog.length > LONGEST_BACKLOG) backlog = []
    wake()
  })
  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort)
  try {
    while (!signal.aborted) {
      const events = backlog
      backlog = []
      for (const logged of events) {
        if (logged.sequence <= last) continue
        if (logged.sequence > last + 1) break
        last = logged.sequence
        yield logged
      }
      // A gap before what came from memory is filled from the store.
      if (last < ledger.state.lastSequence || after !== undefined) {
        const page = await store.events({ after: last, limit: PAGE })
        for (const logged of page) {
          last = logged.sequence
          yield logged
        }
        if (page.length > 0) continue
        after = undefined
      }
      if (backlog.length === 0 && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', onAbort)
  }
}
