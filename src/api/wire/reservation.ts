import { z } from 'zod'
import { RESERVATION_KINDS } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { count, durationMs, name, timeMs } from './primitives.ts'

const owners = z.object({
  queues: z.array(z.string()).max(1000).optional().describe('`organisation` or `organisation/team`'),
  users: z.array(z.string()).max(1000).optional(),
})

const what = {
  kind: z.enum(RESERVATION_KINDS),
  reason: z.string().min(1).max(1000).describe('for people; of maintenance everybody reads it'),
}

/** What a new reservation is, whether made or only tried. */
export const reservationSettings = named(
  'ReservationSettings',
  'A window in time on whole nodes: `nodes`, a `domain`, or `count` nodes of the cluster or of the domain; until `to`, or for `durationMs`.',
  z.strictObject({
    id: name().describe('its name'),
    kind: what.kind.default('reserved'),
    reason: what.reason,
    nodes: z.array(z.string()).min(1).max(100_000).optional().describe('ids of nodes'),
    domain: z.array(z.string()).min(1).max(16).optional().describe('path from the outermost level'),
    count: z.int().min(1).max(100_000).optional().describe('so many whole nodes of one kind'),
    from: timeMs().optional().describe('now when left out'),
    to: timeMs().optional(),
    durationMs: durationMs().optional(),
    owners: owners.strict().optional().describe('whose work may run there; none for maintenance'),
  }),
)

export const reservation = named(
  'Reservation',
  'Nodes kept for some work, or for none, in a window of time.',
  z.object({
    id: z.string(),
    ...what,
    state: z.enum(['planned', 'open']),
    from: timeMs(),
    to: timeMs(),
    domain: z.array(z.string()).exactOptional().describe('where it is all nodes of a domain'),
    nodes: z.array(z.string()).describe('the nodes that are there now'),
    missingNodes: count().describe('nodes that it names and that are gone'),
    owners: z
      .object({ queues: z.array(z.string()), users: z.array(z.string()) })
      .exactOptional()
      .describe('those that the reader may see'),
    stillBusy: z
      .array(z.object({ workload: z.string(), attempt: z.string(), endsAt: timeMs().exactOptional() }))
      .describe(
        "others' work that runs there and may not have ended when it opens, as far as the reader may see",
      ),
    stillBusyNodes: count().describe('nodes with such work'),
  }),
)
export type ReservationView = WireOf<typeof reservation>
