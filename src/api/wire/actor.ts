import { z } from 'zod'
import { named } from '../schema.ts'

export const actor = named(
  'Actor',
  'Who caused a change: a person, the scheduler, an engine, or Banyan itself.',
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('user'), id: z.string() }),
    z.object({ kind: z.literal('scheduler') }),
    z.object({ kind: z.literal('engine'), id: z.string() }),
    z.object({ kind: z.literal('system') }),
  ]),
)

export const owner = named(
  'Owner',
  'Whose a workload is.',
  z.object({ organisation: z.string(), team: z.string(), user: z.string() }),
)
