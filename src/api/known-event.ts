import { z } from 'zod'
import { formatDuration } from '../base/index.ts'
import type { WireOf } from './schema.ts'
import { allocation, failure, resize } from './wire/attempt.ts'
import type { LoggedEventView } from './wire/event.ts'
import { count, timeMs } from './wire/primitives.ts'
import { checkpoint, progress } from './wire/workload.ts'

const knownEvent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('workload-submitted'), workload: z.string() }),
  z.object({ kind: z.literal('dependency-met'), workload: z.string(), on: z.string() }),
  z.object({
    kind: z.literal('start-forecast'),
    workload: z.string(),
    forecast: z.object({ p50At: timeMs(), p90At: timeMs() }),
  }),
  z.object({ kind: z.literal('workload-stopping'), workload: z.string(), reason: z.string() }),
  z.object({ kind: z.literal('workload-scaled'), workload: z.string(), replicas: count() }),
  z.object({
    kind: z.literal('workload-finished'),
    workload: z.string(),
    state: z.enum(['succeeded', 'failed', 'cancelled']),
    reason: z.string(),
  }),
  z.object({
    kind: z.literal('attempt-planned'),
    workload: z.string(),
    attempt: z.string(),
    number: z.int(),
    replica: count(),
    allocation,
  }),
  z.object({ kind: z.literal('attempt-running'), attempt: z.string() }),
  z.object({
    kind: z.literal('attempt-stopping'),
    attempt: z.string(),
    stop: z.object({ reason: z.string(), for: z.string().exactOptional(), resize: resize.exactOptional() }),
  }),
  z.object({
    kind: z.literal('attempt-progressed'),
    attempt: z.string(),
    progress,
    checkpoint: checkpoint.exactOptional(),
  }),
  z.object({
    kind: z.literal('replica-readiness'),
    attempt: z.string(),
    ready: z.boolean(),
    detail: z.string(),
  }),
  z.object({
    kind: z.literal('attempt-ended'),
    attempt: z.string(),
    outcome: z.string(),
    failure: failure.exactOptional(),
    retry: z.object({ notBefore: timeMs(), reason: z.string() }).exactOptional(),
  }),
  z.object({
    kind: z.literal('reservation-made'),
    reservation: z.object({
      id: z.string(),
      kind: z.string(),
      from: timeMs(),
      to: timeMs(),
      reason: z.string(),
    }),
  }),
  z.object({
    kind: z.literal('reservation-ended'),
    reservation: z.string(),
    how: z.enum(['cancelled', 'over']),
  }),
  z.object({ kind: z.literal('organisation-created'), organisation: z.string() }),
  z.object({ kind: z.literal('team-created'), team: z.object({ id: z.string() }) }),
  z.object({
    kind: z.literal('user-set'),
    user: z.object({
      id: z.string(),
      organisation: z.string(),
      teams: z.array(z.string()),
      role: z.string(),
    }),
  }),
  z.object({ kind: z.literal('user-removed'), user: z.string() }),
  z.object({ kind: z.literal('token-issued'), token: z.object({ user: z.string(), label: z.string() }) }),
  z.object({ kind: z.literal('token-revoked') }),
  z.object({
    kind: z.literal('policy-applied'),
    policy: z.object({ name: z.string() }).exactOptional(),
    queues: z.array(z.object({ id: z.string() })),
  }),
  z.object({
    kind: z.literal('queue-set'),
    queue: z.object({
      id: z.string(),
      guaranteedGpus: z.number(),
      limitGpus: z.number().exactOptional(),
      weight: z.number(),
    }),
  }),
  z.object({ kind: z.literal('policy-set'), policy: z.object({ name: z.string() }) }),
  z.object({
    kind: z.literal('prices-set'),
    prices: z.object({
      currency: z.string(),
      lists: z.array(z.object({ since: timeMs(), perGpuHour: z.record(z.string(), z.number()) })),
    }),
  }),
  z.object({ kind: z.literal('node-moved'), node: z.string(), to: z.string(), reason: z.string() }),
  z.object({ kind: z.literal('node-renamed'), node: z.string(), to: z.string() }),
  z.object({ kind: z.literal('node-contact'), node: z.string(), contact: z.string() }),
  z.object({
    kind: z.literal('node-foreign'),
    node: z.string(),
    gpus: z.array(z.number()),
    holder: z.string(),
  }),
])

/** The events that people read about. */
export type KnownEvent = WireOf<typeof knownEvent>

/** The event with its fields typed, or undefined for a kind that is not told here. */
export function knownEventOf({ event }: LoggedEventView): KnownEvent | undefined {
  const parsed = knownEvent.safeParse(event)
  return parsed.success ? parsed.data : undefined
}

/** What happened, in one line for people. */
export function describeEvent(logged: LoggedEventView): string {
  const event = knownEventOf(logged)
  if (!event) return logged.event.kind.replaceAll('-', ' ')
  switch (event.kind) {
    case 'workload-submitted':
      return `${event.workload} submitted`
    case 'dependency-met':
      return `${event.on}, which it waited for, has succeeded`
    case 'start-forecast':
      return `forecast: starts in ${span(event.forecast.p50At - logged.at)}, nine times in ten within ${span(event.forecast.p90At - logged.at)}`
    case 'workload-stopping':
      return `stopping${because(event.reason)}`
    case 'workload-scaled':
      return `scaled to ${event.replicas} replicas`
    case 'workload-finished':
      return `${event.workload} ${event.state}${because(event.reason)}`
    case 'attempt-planned':
      return `attempt ${event.number} starts on ${event.allocation.parts.map(({ node, gpus }) => `${node} (${gpus.length} GPU${gpus.length === 1 ? '' : 's'})`).join(', ')}`
    case 'attempt-running':
      return `${event.attempt} runs`
    case 'attempt-stopping':
      return `${event.attempt} is being stopped (${stopText(event.stop)})`
    case 'attempt-progressed': {
      const saved = event.checkpoint ? `, checkpoint at step ${event.checkpoint.step}` : ''
      return `step ${event.progress.step}${saved}`
    }
    case 'replica-readiness':
      return `${event.attempt} is ${event.ready ? 'ready' : 'not ready'}${because(event.detail)}`
    case 'attempt-ended': {
      const failed = event.failure ? `: ${event.failure.class}, ${event.failure.message}` : ''
      const wait = (event.retry?.notBefore ?? 0) - logged.at
      const next = event.retry ? `; starts again${wait >= 1_000 ? ` in ${span(wait)}` : ''}` : ''
      return `${event.attempt} ended, ${event.outcome}${failed}${next}`
    }
    case 'reservation-made': {
      const { id, kind, from, to, reason } = event.reservation
      return `${kind === 'maintenance' ? 'maintenance' : 'reservation'} ${id} from ${span(from - logged.at)} on for ${span(to - from)}${because(reason)}`
    }
    case 'reservation-ended':
      return `reservation ${event.reservation} is ${event.how}`
    case 'organisation-created':
      return `organisation ${event.organisation} made`
    case 'team-created':
      return `team ${event.team.id} made`
    case 'user-set': {
      const { id, role, organisation, teams } = event.user
      return `user ${id} is ${role} of ${teams.join(', ') || organisation}`
    }
    case 'user-removed':
      return `user ${event.user} removed`
    case 'token-issued':
      return `token for ${event.token.user} issued${because(event.token.label)}`
    case 'token-revoked':
      return 'token revoked'
    case 'queue-set': {
      const { id, guaranteedGpus, limitGpus, weight } = event.queue
      const limit = limitGpus === undefined ? 'no limit' : `limit ${limitGpus}`
      return `queue ${id}: ${guaranteedGpus} GPUs guaranteed, ${limit}, weight ${weight}`
    }
    case 'policy-applied': {
      const names = event.queues.map(({ id }) => id)
      const queues = names.length === 0 ? [] : [`queues ${names.join(', ')} set`]
      return [...(event.policy ? [`policy ${event.policy.name} set`] : []), ...queues].join('; ')
    }
    case 'policy-set':
      return `policy ${event.policy.name} set`
    case 'prices-set': {
      const { currency, lists } = event.prices
      const list = Object.entries(lists.at(-1)?.perGpuHour ?? {})
      return `prices of a GPU-hour: ${list.map(([model, price]) => `${model} ${price} ${currency}`).join(', ')}`
    }
    case 'node-moved':
      return `${event.node} is ${event.to}${because(event.reason)}`
    case 'node-renamed':
      return `${event.node} is now called ${event.to}`
    case 'node-foreign':
      return event.gpus.length === 0
        ? `${event.node} is held by nobody else any more`
        : `${event.gpus.length} GPUs of ${event.node} are held by ${event.holder}`
    case 'node-contact':
      return `${event.node} ${event.contact}`
  }
}

function stopText({
  reason,
  for: beneficiary,
  resize,
}: Extract<KnownEvent, { kind: 'attempt-stopping' }>['stop']): string {
  const size = resize ? ` from ${resize.from} to ${resize.to}` : ''
  return `${reason}${size}${beneficiary === undefined ? '' : ` for ${beneficiary}`}`
}

function because(reason: string): string {
  return reason === '' ? '' : `: ${reason}`
}

function span(ms: number): string {
  return formatDuration(Math.max(0, ms))
}
