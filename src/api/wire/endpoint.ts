import { z } from 'zod'
import { ATTEMPT_STATES, WORKLOAD_STATES } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { owner } from './actor.ts'
import { count, durationMs } from './primitives.ts'

const percentiles = z.object({
  p50: z.number().describe('milliseconds'),
  p99: z.number().describe('milliseconds'),
})

export const traffic = named(
  'EndpointTraffic',
  'What this server has relayed to an endpoint of late.',
  z.object({
    windowMs: durationMs().describe('how far back it reaches'),
    requestsPerSecond: z.number(),
    errors: count().describe('requests that were answered 429 or with a status from 500 on'),
    errorShare: z.number().describe('of all requests'),
    latencyMs: percentiles.exactOptional().describe('until the last byte of answers that came to their end'),
    firstTokenMs: percentiles.exactOptional().describe('until the first byte of answers that are streamed'),
    outputTokensPerSecond: z
      .number()
      .exactOptional()
      .describe('as replicas say; for streams they do so only where `stream_options` asks for it'),
  }),
)
export type EndpointTrafficView = WireOf<typeof traffic>

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
    traffic: traffic.exactOptional().describe('absent when nothing was asked'),
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
