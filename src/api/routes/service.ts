import { z } from 'zod'
import { type Contract, json } from '../contract.ts'
import { named } from '../schema.ts'
import { endpoint } from '../wire/endpoint.ts'
import { listOf, timeMs } from '../wire/primitives.ts'
import { USAGE_GROUPS, usageSummary } from '../wire/usage-summary.ts'

export const serviceRoutes = {
  listEndpoints: {
    method: 'GET',
    path: '/v1/endpoints',
    tag: 'service',
    summary: 'Served models with their replicas',
    access: { scope: 'cluster', role: 'viewer' },
    statuses: [200],
    produces: json(named('EndpointList', 'Endpoints that the caller may use.', listOf(endpoint))),
    problems: [],
  },
  getUsage: {
    method: 'GET',
    path: '/v1/usage',
    tag: 'service',
    summary: 'GPU time used, billed and lost',
    access: { scope: 'cluster', role: 'viewer' },
    query: z.object({
      from: timeMs()
        .optional()
        .describe('milliseconds since the Unix epoch; 30 days before `to` when left out'),
      to: timeMs().optional().describe('milliseconds since the Unix epoch; now when left out'),
      by: z.enum(USAGE_GROUPS).default('team'),
    }),
    statuses: [200],
    produces: json(usageSummary),
    problems: [],
  },
} as const satisfies Record<string, Contract>
