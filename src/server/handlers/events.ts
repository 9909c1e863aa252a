import type { LoggedEventView } from '../../api/index.ts'
import type { LoggedEvent } from '../../control/index.ts'
import { eventsAfter } from '../event-stream.ts'
import { eventIsVisible, workloadOfEvent } from '../event-visibility.ts'
import { findWorkload } from '../find.ts'
import type { HandlersOf } from './part.ts'

export const eventHandlers: HandlersOf<'listEvents' | 'followEvents'> = {
  listEvents: async (input, context) => {
    const workload = input.workload === undefined ? undefined : await findWorkload(context, input.workload)
    const visible: LoggedEventView[] = []
    let last = input.after
    for (;;) {
      const page = await context.store.events({
        after: last,
        limit: input.limit,
        ...(workload ? { workload: workload.id } : {}),
      })
      for (const logged of page) {
        last = logged.sequence
        if (await eventIsVisible(context, logged)) visible.push(logged)
        if (visible.length >= input.limit) return { items: visible, last }
      }
      if (page.length < input.limit) return { items: visible, last }
    }
  },
  followEvents: async function* (input, context) {
    const workload = input.workload === undefined ? undefined : await findWorkload(context, input.workload)
    const after = resumePoint(context.lastEventId) ?? input.after
    for await (const logged of eventsAfter(context, after)) {
      if (workload && workloadOfEvent(logged.event) !== workload.id) continue
      if (await eventIsVisible(context, logged)) {
        yield { type: 'event', id: `${logged.sequence}`, data: logged satisfies LoggedEvent }
      }
    }
  },
}

function resumePoint(lastEventId: string | undefined): number | undefined {
  return lastEventId !== undefined && /^\d+$/.test(lastEventId) ? Number(lastEventId) : undefined
}
