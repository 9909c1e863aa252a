import type { LoggedEvent } from '../../control/index.ts'
import { eventCsv, eventLines, eventPage } from '../audit.ts'
import { eventsAfter } from '../event-stream.ts'
import { eventsAsSeen, workloadOfEvent } from '../event-visibility.ts'
import { findWorkload } from '../find.ts'
import type { HandlersOf } from './part.ts'

export const eventHandlers: HandlersOf<'listEvents' | 'exportEvents' | 'exportEventsAsCsv' | 'followEvents'> =
  {
    listEvents: ({ after, before, limit, order, ...filters }, context) =>
      eventPage(context, filters, { after, before, limit, order }),
    exportEvents: (filters, context) => eventLines(context, filters),
    exportEventsAsCsv: (filters, context) => eventCsv(context, filters),
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
