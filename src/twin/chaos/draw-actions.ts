import type { NodeId, RandomStream, ReservationId, TimeMs } from '../../base/index.ts'
import { HOUR_MS, id, MINUTE_MS } from '../../base/index.ts'
import type { NewReservation } from '../../control/index.ts'
import type { NodeDescription, Queue, ReservationWish } from '../../model/index.ts'
import type { Streams } from '../kernel/streams.ts'
import type { SimulatedJob } from '../world/simulated-job.ts'
import type { UserAction } from '../world/world-setup.ts'
import { drawPolicy } from './draw-policy.ts'
import { queueOf, TENANTS } from './draw-queues.ts'
import type { ChaosOptions } from './options.ts'

interface Surroundings {
  readonly nodes: readonly NodeDescription[]
  readonly jobs: readonly SimulatedJob[]
  readonly queues: readonly Queue[]
}

/** What users and operators do while faults strike, and how they set things right after it. */
export function drawActions(options: ChaosOptions, streams: Streams, around: Surroundings): UserAction[] {
  const spanMs = options.safetyHours * HOUR_MS
  const { nodes, jobs, queues } = around
  const byHand = streams.named('chaos/actions')
  const calendar = streams.named('chaos/windows')
  const desk = streams.named('chaos/edits')
  const names = streams.named('chaos/renames')
  const actions: UserAction[] = [
    ...Array.from({ length: options.actions }, () => handling(byHand, spanMs, nodes, jobs)),
    ...Array.from({ length: options.windows }, (_, i) => window(calendar, spanMs, i, options)).flat(),
    ...Array.from({ length: options.edits }, () => edit(desk, spanMs, options, queues)),
    ...Array.from({ length: options.renames }, () => rename(names, spanMs, nodes)),
  ]
  // Which work is feasible is judged by the quotas of the beginning.
  if (options.edits > 0)
    for (const queue of queues)
      actions.push({
        atMs: spanMs + HOUR_MS / 2,
        what: { kind: 'command', command: { kind: 'set-queue', queue } },
      })
  // What runs until it is told to end would go on for ever: its users end it once all is healed.
  jobs.forEach(({ behaviour }, job) => {
    if (behaviour.workUs === undefined)
      actions.push({ atMs: spanMs + HOUR_MS, what: { kind: 'stop', job, kill: false } })
  })
  return actions
}

function handling(
  random: RandomStream,
  spanMs: TimeMs,
  nodes: readonly NodeDescription[],
  jobs: readonly SimulatedJob[],
): UserAction {
  const atMs = Math.floor(random.next() * spanMs)
  const kind = random.next()
  if (kind < 0.35)
    return { atMs, what: { kind: 'stop', job: random.below(jobs.length), kill: random.next() < 0.3 } }
  if (kind < 0.55) {
    const serving = jobs.flatMap(({ spec }, job) => (spec.type === 'serve' ? [job] : []))
    const job = serving[random.below(Math.max(1, serving.length))]
    if (job !== undefined) return { atMs, what: { kind: 'scale', job, replicas: 1 + random.below(4) } }
  }
  const action = (['cordon', 'drain', 'resume'] as const)[random.below(3)]!
  return { atMs, what: { kind: 'node', node: nodes[random.below(nodes.length)]!.id, action } }
}

/** A window for maintenance or somebody's work, and now and then its cancellation. */
function window(random: RandomStream, spanMs: TimeMs, i: number, options: ChaosOptions): UserAction[] {
  const atMs = Math.floor(random.next() * spanMs * 0.9)
  const from = atMs + random.below(2 * HOUR_MS)
  const common = {
    id: id<ReservationId>(`window-${i}`),
    from,
    to: from + 10 * MINUTE_MS + random.below(3 * HOUR_MS),
    reason: 'drill',
    wish: wish(random, options),
  }
  const reservation: NewReservation =
    random.next() < 0.5
      ? { ...common, kind: 'maintenance' }
      : { ...common, kind: 'reserved', owners: { queues: [queueOf(TENANTS[random.below(TENANTS.length)]!)] } }
  const made: UserAction = { atMs, what: { kind: 'command', command: { kind: 'reserve', reservation } } }
  if (random.next() < 0.7) return [made]
  const command = { kind: 'cancel-reservation', reservation: reservation.id } as const
  return [made, { atMs: atMs + random.below(3 * HOUR_MS), what: { kind: 'command', command } }]
}

function wish(random: RandomStream, { blocks, nodesPerBlock }: ChaosOptions): ReservationWish {
  const kind = random.next()
  if (kind < 0.3) return { kind: 'domain', domain: ['site', `b${random.below(blocks)}`] }
  const count = 1 + random.below(nodesPerBlock)
  if (kind < 0.6) return { kind: 'count', count }
  return {
    kind: 'nodes',
    nodes: Array.from({ length: count }, () => id(`n${random.below(blocks * nodesPerBlock)}`)),
  }
}

/** A name that is free, or one that another node has. */
function rename(random: RandomStream, spanMs: TimeMs, nodes: readonly NodeDescription[]): UserAction {
  const node = nodes[random.below(nodes.length)]!.id
  const to = id<NodeId>(`${random.next() < 0.8 ? 'm' : 'n'}${random.below(nodes.length)}`)
  const atMs = Math.floor(random.next() * spanMs)
  return { atMs, what: { kind: 'command', command: { kind: 'rename-node', node, to } } }
}

/** Another policy, or another promise or limit for one queue. */
function edit(
  random: RandomStream,
  spanMs: TimeMs,
  options: ChaosOptions,
  queues: readonly Queue[],
): UserAction {
  const atMs = Math.floor(random.next() * spanMs)
  const before = queues[random.below(Math.max(1, queues.length))]
  if (!before || random.next() < 0.5)
    return { atMs, what: { kind: 'command', command: { kind: 'set-policy', policy: drawPolicy(random) } } }
  const { limitGpus: _, ...queue } = before
  const changed: Queue = {
    ...queue,
    // A parent backs what its queues are guaranteed.
    guaranteedGpus: before.parent ? random.below(before.guaranteedGpus + 1) : before.guaranteedGpus,
    weight: 1 + random.below(3),
    lendable: random.next() < 0.8,
    ...(before.parent &&
      random.next() < 0.4 && { limitGpus: before.guaranteedGpus + random.below(options.gpusPerNode * 4) }),
  }
  return { atMs, what: { kind: 'command', command: { kind: 'set-queue', queue: changed } } }
}
