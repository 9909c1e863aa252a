import { z } from 'zod'
import { type Contract, json } from '../contract.ts'
import { named } from '../schema.ts'
import { loggedEvent } from '../wire/event.ts'
import { count } from '../wire/primitives.ts'

export const eventRoutes = {
  listEvents: {
    method: 'GET',
    path: '/v1/events',
    tag: 'events',
    summary: 'Events of the ledger that the caller may see, oldest first',
    access: { scope: 'cluster', role: 'viewer' },
    query: z.object({
      workload: z.string().optional().describe('id or name'),
      after: count().default(0).describe('only events with a greater sequence number'),
      limit: z.int().min(1).max(1000).default(100),
    }),
    statuses: [200],
    produces: json(
      named(
        'EventPage',
        'Events in order; ask again with `after` = `last` for more.',
        z.object({
          items: z.array(loggedEvent),
          last: count().describe('sequence number read up to'),
          newest: count().describe('sequence number of the newest event of the log'),
        }),
      ),
    ),
    problems: ['not-found'],
  },
  followEvents: {
    method: 'GET',
    path: '/v1/events/stream',
    tag: 'events',
    summary: 'Events as they happen',
    description: 'Ids are sequence numbers. Starts after `Last-Event-ID`, or `after`, or now.',
    access: { scope: 'cluster', role: 'viewer' },
    query: z.object({
      workload: z.string().optional().describe('id or name'),
      after: count().optional(),
    }),
    statuses: [200],
    produces: { kind: 'events', events: { event: loggedEvent } },
    problems: ['not-found', 'unavailable'],
  },
} as const satisfies Record<string, Contract>
