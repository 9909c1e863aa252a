import { z } from 'zod'
import { type Contract, json } from '../contract.ts'
import { named } from '../schema.ts'
import { forecastScore } from '../wire/explanation.ts'
import { policy, policySettings } from '../wire/policy.ts'
import { policyApplied, policyChange } from '../wire/policy-apply.ts'
import { listOf, timeMs } from '../wire/primitives.ts'
import { queue, queueSettings } from '../wire/queue.ts'
import { shareHistory } from '../wire/share-history.ts'
import { waiting } from '../wire/waiting.ts'
import { impact, whatIfRequest } from '../wire/what-if.ts'

const read = { scope: 'cluster', role: 'viewer' } as const
const operate = { scope: 'cluster', role: 'operator' } as const
const writes = ['storage-full', 'unavailable'] as const

export const schedulingRoutes = {
  listQueues: {
    method: 'GET',
    path: '/v1/queues',
    tag: 'scheduling',
    summary: 'The tree of queues that the caller may see, with what each holds',
    access: read,
    statuses: [200],
    produces: json(named('QueueList', 'Queues, parents before children.', listOf(queue))),
    problems: [],
  },
  getShareHistory: {
    method: 'GET',
    path: '/v1/queues/history',
    tag: 'scheduling',
    summary: 'What each queue that the caller may see has held over time, against its guarantee',
    access: read,
    query: z.object({
      from: timeMs()
        .optional()
        .describe('milliseconds since the Unix epoch; a day before `to` when left out'),
      to: timeMs().optional().describe('milliseconds since the Unix epoch; now when left out'),
      intervals: z.int().min(1).max(200).default(48).describe('at most this many, none under a minute'),
    }),
    statuses: [200],
    produces: json(shareHistory),
    problems: [],
  },
  listWaiting: {
    method: 'GET',
    path: '/v1/waiting',
    tag: 'scheduling',
    summary: 'What waits, in the order in which the scheduler would start it, and why',
    description:
      'Made from the last seconds, and without what was tried to help; `explanation` of a workload has that.',
    access: read,
    statuses: [200],
    produces: json(named('WaitingList', 'The gangs that wait and that the caller may see.', listOf(waiting))),
    problems: [],
  },
  setQueue: {
    method: 'PUT',
    path: '/v1/queues/{id}',
    tag: 'scheduling',
    summary: 'Change guarantees, limits and weight of a queue',
    access: operate,
    params: z.object({ id: z.string().min(1).max(200).describe('`organisation` or `organisation/team`') }),
    body: queueSettings,
    statuses: [200],
    produces: json(queue),
    problems: ['not-found', ...writes],
  },
  getPolicy: {
    method: 'GET',
    path: '/v1/policy',
    tag: 'scheduling',
    summary: "The scheduler's policy",
    access: read,
    statuses: [200],
    produces: json(policy),
    problems: [],
  },
  setPolicy: {
    method: 'PUT',
    path: '/v1/policy',
    tag: 'scheduling',
    summary: "Change the scheduler's policy",
    access: operate,
    body: policySettings,
    statuses: [200],
    produces: json(policy),
    problems: [...writes],
  },
  applyPolicy: {
    method: 'POST',
    path: '/v1/policy/apply',
    tag: 'scheduling',
    summary: 'Change policy and queues together: all of it, or nothing',
    access: operate,
    body: policyChange,
    statuses: [200],
    produces: json(policyApplied),
    problems: ['invalid-request', 'not-found', 'stale', 'unsupported', ...writes],
  },
  previewPolicy: {
    method: 'POST',
    path: '/v1/policy/preview',
    tag: 'scheduling',
    summary: 'What a changed policy would do; nothing is changed',
    access: operate,
    body: policySettings,
    statuses: [200],
    produces: json(impact),
    problems: ['unsupported'],
  },
  scoreForecasts: {
    method: 'GET',
    path: '/v1/forecasts/score',
    tag: 'scheduling',
    summary: 'How good past forecasts of start times were',
    access: read,
    statuses: [200],
    produces: json(forecastScore),
    problems: ['unsupported'],
  },
  askWhatIf: {
    method: 'POST',
    path: '/v1/what-if',
    tag: 'scheduling',
    summary: 'What a set of changes would do; nothing is changed',
    description:
      'Members may try submissions, and stops and priorities of what they may change; operators everything.',
    access: { scope: 'cluster', role: 'member' },
    body: whatIfRequest,
    statuses: [200],
    produces: json(impact),
    problems: ['invalid-spec', 'not-found', 'unsupported'],
  },
} as const satisfies Record<string, Contract>
