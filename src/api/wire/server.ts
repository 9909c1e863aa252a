import { z } from 'zod'
import { named, type WireOf } from '../schema.ts'
import { count, timeMs } from './primitives.ts'
import { token, user } from './tenancy.ts'

export const health = named(
  'Health',
  'Whether this server answers.',
  z.object({ status: z.enum(['ok', 'starting', 'stopping']), version: z.string(), leader: z.boolean() }),
)
export type Health = WireOf<typeof health>

export const signIn = named(
  'SignIn',
  'How people may sign in beside with a token.',
  z.object({
    oidc: z
      .object({
        name: z.string().describe('of the identity provider'),
        path: z.string().describe('to be opened'),
      })
      .exactOptional(),
  }),
)

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
    now: timeMs().describe("what the server's clock says"),
    leader: z.boolean(),
    twin: z
      .object({
        template: z.string(),
        nodes: count(),
        seed: z.number(),
        load: z.number(),
        faults: z.number().describe('times the published rates of failure'),
        speed: z
          .number()
          .describe('how many times faster than ours its time goes, where the server keeps up'),
      })
      .exactOptional()
      .describe('there when the machine is simulated'),
  }),
)
export type ServerVersion = WireOf<typeof serverVersion>

export const whoAmI = named('WhoAmI', 'The caller.', z.object({ user, token }))
export type WhoAmI = WireOf<typeof whoAmI>
