import { z } from 'zod'
import { type Contract, json } from '../contract.ts'
import { named } from '../schema.ts'
import { loggedEvent } from '../wire/event.ts'
import { count, timeMs } from '../wire/primitives.ts'

const read = { scope: 'cluster', role: 'viewer' } as const

const filters = {
  workload: z.string().optional().describe('id or name'),
  node: z.string().max(200).optional().describe('what happened to it, and failures that it is blamed for'),
  kind: z
    .array(z.string().max(100))
    .max(50)
    .optional()
    .describe('only these kinds of events, such as `policy-set`'),
  actor: z
    .string()
    .max(200)
    .optional()
    .describe('`user` (anybody), `scheduler`, `engine` or `system`; or one of them, as in `user:ada`'),
  from: timeMs().optional().describe('since then, in milliseconds since the Unix epoch'),
  to: timeMs().optional().describe('before then, in milliseconds since the Unix epoch'),
}

export const eventRoutes = {
  listEvents: {
    method: 'GET',
    path: '/v1/events',
    tag: 'events',
    summary: 'Events of the ledger that the caller may see: who did what, when, and because of what',
    access: read,
    query: z.object({
      ...filters,
      order: z.enum(['oldest', 'newest']).default('oldest').describe('which come first'),
      after: count().default(0).describe('only events with a greater sequence number'),
      before: count().optional().describe('only events with a smaller sequence number'),
      limit: z.int().min(1).max(1000).default(100),
    }),
    statuses: [200],
    produces: json(
      named(
        'EventPage',
        'Events in the order asked for; ask again with `after` = `last` for more, or `before` = `last` where the newest come first.',
        z.object({
          items: z.array(loggedEvent),
          last: count().describe('sequence number read up to'),
          more: z.boolean().describe('whether there may be more'),
          newest: count().describe('sequence number of the newest event of the log'),
        }),
      ),
    ),
    problems: ['not-found'],
  },
  exportEvents: {
    method: 'GET',
    path: '/v1/events/export',
    tag: 'events',
    summary: 'All events that the filters leave, oldest first, as JSON lines',
    access: read,
    query: z.object(filters),
    statuses: [200],
    produces: { kind: 'file', mediaType: 'application/x-ndjson' },
    problems: ['not-found'],
  },
  exportEventsAsCsv: {
    method: 'GET',
    path: '/v1/events/export.csv',
    tag: 'events',
    summary: 'The same as CSV, with a sentence for each',
    access: read,
    query: z.object(filters),
    statuses: [200],
    produces: { kind: 'file', mediaType: 'text/csv; charset=utf-8' },
    problems: ['not-found'],
  },
  followEvents: {
    method: 'GET',
    path: '/v1/events/stream',
    tag: 'events',
    summary: 'Events as they happen',
    description: 'Ids are sequence numbers. Starts after `Last-Event-ID`, or `after`, or now.',
    access: read,
    query: z.object({
      workload: z.string().optional().describe('id or name'),
      after: count().optional(),
    }),
    statuses: [200],
    produces: { kind: 'events', events: { event: loggedEvent } },
    problems: ['not-found', 'unavailable'],
  },
} as const satisfies Record<string, Contract>
