import { z } from 'zod'
import { WORKLOAD_STATES } from '../../model/index.ts'
import { type Contract, json } from '../contract.ts'
import { named } from '../schema.ts'
import { attempt, logChunk } from '../wire/attempt.ts'
import { explained } from '../wire/explanation.ts'
import { count, listOf, pageOf, paging } from '../wire/primitives.ts'
import { rankTimes } from '../wire/rank-times.ts'
import { submitRequest, submitted, workload } from '../wire/workload.ts'

const params = z.object({
  id: z.string().min(1).max(200).describe('id, or name (then the newest of that name)'),
})
const seen = { scope: 'organisation', role: 'viewer' } as const
const changed = { scope: 'team', role: 'member' } as const

export const workloadRoutes = {
  submitWorkload: {
    method: 'POST',
    path: '/v1/workloads',
    tag: 'workloads',
    summary: 'Submit a workload',
    description:
      'Answers when the submission is durable: 201 when workloads were made, 200 for a dry run and when the idempotency key had made them before.',
    access: { scope: 'team', role: 'member' },
    body: submitRequest,
    idempotent: true,
    statuses: [201, 200],
    produces: json(submitted),
    problems: [
      'invalid-spec',
      'unsatisfiable',
      'not-found',
      'too-large',
      'idempotency-key-reused',
      'storage-full',
      'unavailable',
    ],
  },
  listWorkloads: {
    method: 'GET',
    path: '/v1/workloads',
    tag: 'workloads',
    summary: 'List workloads, newest first',
    access: { scope: 'cluster', role: 'viewer' },
    query: z.object({
      state: z.array(z.enum(WORKLOAD_STATES)).optional(),
      organisation: z.string().optional(),
      team: z.string().optional(),
      user: z.string().optional(),
      name: z.string().optional(),
      ...paging,
    }),
    statuses: [200],
    produces: json(named('WorkloadPage', 'One page of workloads.', pageOf(workload))),
    problems: [],
  },
  getWorkload: {
    method: 'GET',
    path: '/v1/workloads/{id}',
    tag: 'workloads',
    summary: 'One workload',
    access: seen,
    params,
    statuses: [200],
    produces: json(workload),
    problems: ['not-found'],
  },
  stopWorkload: {
    method: 'POST',
    path: '/v1/workloads/{id}/stop',
    tag: 'workloads',
    summary: 'Stop a workload, or cancel it while it waits',
    access: changed,
    params,
    body: named(
      'StopRequest',
      'How to stop.',
      z.strictObject({ kill: z.boolean().default(false).describe('at once, without grace') }),
    ),
    statuses: [200],
    produces: json(workload),
    problems: ['not-found', 'wrong-state', 'storage-full', 'unavailable'],
  },
  resubmitWorkload: {
    method: 'POST',
    path: '/v1/workloads/{id}/resubmit',
    tag: 'workloads',
    summary: 'Submit a finished workload again, from its checkpoint where it has one',
    access: changed,
    params,
    idempotent: true,
    statuses: [201, 200],
    produces: json(submitted),
    problems: ['not-found', 'wrong-state', 'idempotency-key-reused', 'storage-full', 'unavailable'],
  },
  scaleWorkload: {
    method: 'POST',
    path: '/v1/workloads/{id}/scale',
    tag: 'workloads',
    summary: 'Change the number of replicas of a `serve` workload',
    access: changed,
    params,
    body: named('ScaleRequest', 'How many replicas.', z.strictObject({ replicas: count().max(10_000) })),
    statuses: [200],
    produces: json(workload),
    problems: ['not-found', 'wrong-state', 'unsatisfiable', 'storage-full', 'unavailable'],
  },
  explainWorkload: {
    method: 'GET',
    path: '/v1/workloads/{id}/explanation',
    tag: 'workloads',
    summary: 'Why it waits, and when it will start',
    access: seen,
    params,
    statuses: [200],
    produces: json(explained),
    problems: ['not-found'],
  },
  listAttempts: {
    method: 'GET',
    path: '/v1/workloads/{id}/attempts',
    tag: 'workloads',
    summary: 'Its attempts, oldest first',
    access: seen,
    params,
    statuses: [200],
    produces: json(named('AttemptList', 'All attempts of a workload.', listOf(attempt))),
    problems: ['not-found'],
  },
  listRanks: {
    method: 'GET',
    path: '/v1/workloads/{id}/ranks',
    tag: 'workloads',
    summary: 'How long each rank computes in a step, and which the others wait for',
    access: seen,
    params,
    statuses: [200],
    produces: json(rankTimes),
    problems: ['not-found'],
  },
  readLog: {
    method: 'GET',
    path: '/v1/workloads/{id}/logs',
    tag: 'workloads',
    summary: "A part of one task's log",
    access: seen,
    params,
    query: z.object({
      attempt: z.int().min(1).optional().describe('number of the attempt; the newest when left out'),
      task: count().default(0).describe('global rank'),
      from: z.int().default(0).describe('byte offset; negative counts from the end'),
    }),
    statuses: [200],
    produces: json(logChunk),
    problems: ['not-found', 'unavailable'],
  },
  followLog: {
    method: 'GET',
    path: '/v1/workloads/{id}/logs/stream',
    tag: 'workloads',
    summary: 'Logs as they grow',
    description:
      'Without `attempt`, goes on with the next attempt until the workload is final; `end` is the last event. Resumes after `Last-Event-ID`.',
    access: seen,
    params,
    query: z.object({
      attempt: z.int().min(1).optional(),
      task: count().optional().describe('global rank; all tasks when left out'),
      tail: z.int().min(0).optional().describe('start at most this many bytes before the end'),
    }),
    statuses: [200],
    produces: {
      kind: 'events',
      last: 'end',
      events: {
        log: logChunk,
        end: named('LogEnd', 'Nothing more will come.', z.object({ reason: z.string() })),
      },
    },
    problems: ['not-found', 'unavailable'],
  },
} as const satisfies Record<string, Contract>
