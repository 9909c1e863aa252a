import { z } from 'zod'
import { ATTEMPT_STATES, WORKLOAD_STATES } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { owner } from './actor.ts'
import { count } from './primitives.ts'

export const endpoint = named(
  'Endpoint',
  'A served model: what `/v1/chat/completions` and `/v1/completions` call `model`.',
  z.object({
    model: z.string(),
    workload: z.string(),
    name: z.string(),
    owner,
    state: z.enum(WORKLOAD_STATES),
    wantedReplicas: count(),
    readyReplicas: count(),
    replicas: z.array(
      z.object({
        replica: count(),
        attempt: z.string(),
        state: z.enum(ATTEMPT_STATES),
        ready: z.boolean(),
        address: z.string().exactOptional(),
        nodes: z.array(z.string()),
        outstanding: count().exactOptional().describe('requests that the gateway waits for now'),
      }),
    ),
  }),
)
export type EndpointView = WireOf<typeof endpoint>
