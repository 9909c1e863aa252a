import { z } from 'zod'
import { named, type WireOf } from '../schema.ts'
import { timeMs } from './primitives.ts'
import { token, user } from './tenancy.ts'

export const health = named(
  'Health',
  'Whether this server answers.',
  z.object({ status: z.enum(['ok', 'starting', 'stopping']), version: z.string(), leader: z.boolean() }),
)
export type Health = WireOf<typeof health>

export const serverVersion = named(
  'Version',
  'What runs here.',
  z.object({
    version: z.string(),
    api: z.literal('v1'),
    node: z.string(),
    store: z.enum(['pglite', 'postgres']),
    engines: z.array(z.string()),
    cluster: z.object({ name: z.string(), levels: z.array(z.string()) }),
    startedAt: timeMs(),
    leader: z.boolean(),
  }),
)
export type ServerVersion = WireOf<typeof serverVersion>

export const whoAmI = named('WhoAmI', 'The caller.', z.object({ user, token }))
export type WhoAmI = WireOf<typeof whoAmI>
