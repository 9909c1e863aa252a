import { z } from 'zod'
import { named, type WireOf } from '../schema.ts'
import { actor } from './actor.ts'
import { count, timeMs } from './primitives.ts'

export const loggedEvent = named(
  'LoggedEvent',
  'A fact of the ledger, with who did it, because of what, when, and its place in the log.',
  z.object({
    sequence: count(),
    at: timeMs(),
    actor,
    cause: z.string().describe('the command that led to it'),
    event: z.looseObject({ kind: z.string() }),
  }),
)
export type LoggedEventView = WireOf<typeof loggedEvent>
