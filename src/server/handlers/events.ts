import type { LoggedEventView } from '../../api/index.ts'
import type { LoggedEvent } from '../../control/index.ts'
import { eventsAfter } from '../event-stream.ts'
import { eventsAsSeen, workloadOfEvent } from '../event-visibility.ts'
import { findWorkload } from '../find.ts'
import type { HandlersOf } from './part.ts'

/** Rows of the log read for one page, however few of them the caller may see; `last` tells where to go on. */
const LONGEST_SEARCH = 20_000

export const eventHandlers: HandlersOf<'listEvents' | 'followEvents'> = {
  listEvents: async (input, context) => {
    const workload = input.workload === undefined ? undefined : await findWorkload(context, input.workload)
    const asSeen = eventsAsSeen(context)
    const visible: LoggedEventView[] = []
    const newest = context.ledger.state.lastSequence
    let last = input.after
    for (let read = 0; read < LONGEST_SEARCH; read += input.limit) {
      const page = await context.store.events({
        after: last,
        limit: input.limit,
        ...(workload ? { workload: workload.id } : {}),
      })
      for (const logged of page) {
        last = logged.sequence
        const seen = await asSeen(logged)
        if (seen) visible.push(seen)
        if (visible.length >= input.limit) return { items: visible, last, newest }
      }
      if (page.length < input.limit) break
    }
    return { items: visible, last, newest }
  },
  followEvents: async function* (input, context) {
    const workload = input.workload === undefined ? undefined : await findWorkload(context, input.workload)
    const asSeen = eventsAsSeen(context)
    const after = resumePoint(context.lastEventId) ?? input.after
    for await (const logged of eventsAfter(context, after)) {
      if (workload && workloadOfEvent(logged.event) !== workload.id) continue
      const seen = await asSeen(logged)
      if (seen) yield { type: 'event', id: `${seen.sequence}`, data: seen satisfies LoggedEvent }
    }
  },
}

function resumePoint(lastEventId: string | undefined): number | undefined {
  return lastEventId !== undefined && /^\d+$/.test(lastEventId) ? Number(lastEventId) : undefined
}
