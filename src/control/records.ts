import type { NodeId, WorkloadId } from '../base/index.ts'
import { canonicalJson, present } from '../base/index.ts'
import type {
  Allocation,
  Attempt,
  ClusterDescription,
  Node,
  Organisation,
  Policy,
  Prices,
  Queue,
  Reservation,
  Team,
  Token,
  User,
} from '../model/index.ts'
import { DEFAULT_POLICY, stoppedAfterMs } from '../model/index.ts'
import type { Hold, MemoryRow } from '../scheduler/index.ts'
import { loadMemory, memoryRows, takeMemoryChanges } from '../scheduler/index.ts'
import type { LoggedEvent } from './event.ts'
import { enqueueMissing, liveAttempt, queuedGang } from './gangs.ts'
import type { Batch, Document, StoredState, SubmissionRecord } from './ports/index.ts'
import type { ControlState } from './state.ts'
import { clearDeparted, emptyState } from './state.ts'

/** What must be written so that the store holds the state after these events; call once for each batch, in order. */
export function batchOf(state: ControlState, events: readonly LoggedEvent[]): Batch {
  const touched = new Touched(state)
  const submissions = new Map<string, SubmissionRecord>()
  for (const logged of events) {
    touched.add(logged)
    collectSubmission(submissions, logged)
  }
  const { departed } = state.derived
  const batch: Batch = {
    events,
    documents: touched.documents(),
    workloads: [...touched.workloads].map((id) =>
      present(state.workloads.get(id) ?? departed.workloads.get(id), `workload ${id}`),
    ),
    attempts: [...touched.attempts].map((id) =>
      present(state.attempts.get(id) ?? departed.attempts.get(id), `attempt ${id}`),
    ),
    submissions: [...submissions.values()],
    spans: [...departed.spans],
  }
  clearDeparted(departed)
  return batch
}

function collectSubmission(into: Map<string, SubmissionRecord>, { event, at }: LoggedEvent): void {
  if (event.kind !== 'workload-submitted' || !event.submission) return
  const { key, requestHash } = event.submission
  const user = event.owner.user
  const workloads = [...(into.get(`${user} ${key}`)?.workloads ?? []), event.workload]
  into.set(`${user} ${key}`, { user, idempotencyKey: key, requestHash, workloads, at })
}

/** The collections of documents, each with where its rows stand in the state. */
const COLLECTIONS = {
  cluster: (state: ControlState) => new Map([['cluster', state.cluster]]),
  policy: (state: ControlState) => new Map([['policy', state.policy]]),
  prices: (state: ControlState) => new Map([['prices', state.prices]]),
  counters: (state: ControlState) => new Map([['counters', countersOf(state)]]),
  scheduler: (state: ControlState) => memoryRows(state.derived.machine),
  organisations: (state: ControlState) => state.organisations,
  teams: (state: ControlState) => state.teams,
  users: (state: ControlState) => state.users,
  tokens: (state: ControlState) => state.tokens,
  queues: (state: ControlState) => state.queues,
  nodes: (state: ControlState) => state.nodes,
  holds: (state: ControlState) => state.holds,
  reservations: (state: ControlState) => state.reservations,
} as const satisfies Record<string, (state: ControlState) => ReadonlyMap<string, unknown>>
type Collection = keyof typeof COLLECTIONS

interface Counters {
  readonly now: number
  readonly nextWorkloadNumber: number
}

function countersOf(state: ControlState): Counters {
  return { now: state.now, nextWorkloadNumber: state.nextWorkloadNumber }
}

/** The rows that a run of events may have changed. */
class Touched {
  readonly workloads = new Set<WorkloadId>()
  readonly attempts = new Set<Attempt['id']>()
  readonly #rows = new Map<string, { collection: Collection; id: string }>()
  readonly #state: ControlState

  constructor(state: ControlState) {
    this.#state = state
    this.#row('counters', 'counters')
  }

  add({ event }: LoggedEvent): void {
    switch (event.kind) {
      case 'cluster-described':
        this.#row('cluster', 'cluster')
        break
      case 'policy-set':
        this.#row('policy', 'policy')
        break
      case 'policy-applied':
        if (event.policy) this.#row('policy', 'policy')
        for (const queue of event.queues) this.#row('queues', queue.id)
        break
      case 'prices-set':
        this.#row('prices', 'prices')
        break
      case 'organisation-created':
        this.#row('organisations', event.organisation)
        break
      case 'team-created':
        this.#row('teams', event.team.id)
        break
      case 'user-set':
        this.#row('users', event.user.id)
        break
      case 'user-removed':
        this.#row('users', event.user)
        break
      case 'token-issued':
        this.#row('tokens', event.token.sha256)
        break
      case 'token-revoked':
        this.#row('tokens', event.sha256)
        break
      case 'queue-set':
        this.#row('queues', event.queue.id)
        break
      case 'node-described':
        this.#row('nodes', event.node.id)
        break
      case 'node-renamed':
        this.#renamed(event.node, event.to)
        break
      case 'node-moved':
      case 'node-contact':
      case 'node-foreign':
      case 'node-removed':
        this.#row('nodes', event.node)
        break
      case 'reservation-made':
        this.#row('reservations', event.reservation.id)
        break
      case 'reservation-ended':
        this.#row('reservations', event.reservation)
        break
      case 'hold-placed':
        this.#row('holds', event.hold.id)
        break
      case 'hold-released':
        this.#row('holds', event.hold)
        break
      case 'workload-submitted':
      case 'dependency-met':
      case 'start-forecast':
      case 'workload-stopping':
      case 'workload-scaled':
      case 'workload-finished':
        this.workloads.add(event.workload)
        break
      default:
        this.#attempt(event.attempt)
    }
  }

  documents(): Document[] {
    // A removed user's tokens go with the user and have no event of their own.
    const documents: Document[] = [...this.#rows.values()].map(({ collection, id }) => {
      const rows: ReadonlyMap<string, unknown> = COLLECTIONS[collection](this.#state)
      return rows.has(id) ? { collection, id, value: rows.get(id) } : { collection, id }
    })
    for (const [id, value] of takeMemoryChanges(this.#state.derived.machine))
      documents.push({ collection: 'scheduler', id, ...(value && { value }) })
    return documents
  }

  /** By the state after it: what names the node now may have named it before. */
  #renamed(from: NodeId, to: NodeId): void {
    const { attempts, holds, reservations, workloads } = this.#state
    this.#row('nodes', from)
    this.#row('nodes', to)
    for (const [id, { allocation }] of attempts) if (stands(allocation, to)) this.attempts.add(id)
    for (const [id, { allocation }] of holds) if (stands(allocation, to)) this.#row('holds', id)
    for (const [id, { nodes }] of reservations)
      if (!('domain' in nodes) && nodes.includes(to)) this.#row('reservations', id)
    for (const [id, { avoidedNodes }] of workloads)
      if (avoidedNodes.some(({ node }) => node === to)) this.workloads.add(id)
  }

  #attempt(id: Attempt['id']): void {
    this.attempts.add(id)
    const { attempts, derived } = this.#state
    const attempt = present(attempts.get(id) ?? derived.departed.attempts.get(id), `attempt ${id}`)
    this.workloads.add(attempt.workload)
  }

  #row(collection: Collection, id: string): void {
    this.#rows.set(`${collection} ${id}`, { collection, id })
  }
}

function stands({ parts }: Allocation, node: NodeId): boolean {
  return parts.some((part) => part.node === node)
}

/** The state as it was when the store took its last batch. */
export function restoreState(stored: StoredState): ControlState {
  const state = emptyState()
  const { machine } = state.derived
  state.lastSequence = stored.lastSequence
  const rows = <Value>(collection: Collection) =>
    stored.documents
      .filter((document) => document.collection === collection)
      .map((document) => document.value as Value)

  for (const counters of rows<Counters>('counters')) Object.assign(state, counters)
  for (const cluster of rows<ClusterDescription>('cluster')) {
    state.cluster = cluster
    machine.setLevels(cluster.levels)
  }
  for (const policy of rows<Policy>('policy')) {
    state.policy = { ...DEFAULT_POLICY, ...policy }
    machine.setPolicy(state.policy)
  }
  for (const prices of rows<Prices>('prices')) state.prices = prices
  for (const organisation of rows<Organisation>('organisations')) {
    state.organisations.set(organisation.id, organisation)
  }
  for (const team of rows<Team>('teams')) state.teams.set(team.id, team)
  for (const user of rows<User>('users')) state.users.set(user.id, user)
  for (const token of rows<Token>('tokens')) {
    if (state.users.has(token.user)) state.tokens.set(token.sha256, token)
  }
  for (const queue of parentsFirst(rows<Queue>('queues'))) {
    state.queues.set(queue.id, queue)
    machine.setQueue(queue)
  }
  for (const node of rows<Node>('nodes')) {
    state.nodes.set(node.id, node)
    machine.setNode(node, node.state)
    if (node.engineName !== undefined) state.derived.renamedNodes.set(node.engineName, node.id)
  }
  loadMemory(machine, rows<MemoryRow>('scheduler'))
  restoreWork(state, stored)
  for (const { id, foreign } of state.nodes.values()) if (foreign) machine.setForeignUse(id, foreign.gpus)
  for (const hold of rows<Hold>('holds')) {
    state.holds.set(hold.id, hold)
    // One whose gang has left the line is given back by the next pass.
    if (machine.gang(hold.workload, hold.replica)) machine.placeHold(hold)
  }
  for (const reservation of rows<Reservation>('reservations')) {
    state.reservations.set(reservation.id, reservation)
    machine.setReservation(reservation)
  }
  return state
}

function restoreWork(state: ControlState, stored: StoredState): void {
  const { machine, dependents, deadlines } = state.derived
  for (const workload of stored.workloads) {
    state.workloads.set(workload.id, workload)
    for (const on of workload.waitsFor) {
      dependents.set(on, (dependents.get(on) ?? new Set()).add(workload.id))
    }
  }
  for (const attempt of stored.attempts) {
    const workload = present(state.workloads.get(attempt.workload), `workload ${attempt.workload}`)
    state.attempts.set(attempt.id, attempt)
    machine.start(queuedGang(workload, attempt.replica), liveAttempt(attempt))
    const due = stoppedAfterMs(workload.spec)
    if (attempt.runningAt !== undefined && due !== undefined) {
      deadlines.push({ at: attempt.runningAt + due, attempt: attempt.id })
    }
  }
  for (const workload of state.workloads.values()) enqueueMissing(state, workload)
}

function parentsFirst(queues: readonly Queue[]): Queue[] {
  return [...queues].sort((a, b) => depth(a) - depth(b))

  function depth(queue: Queue): number {
    const parent = queues.find((other) => other.id === queue.parent)
    return parent ? depth(parent) + 1 : 0
  }
}

/** The state as text: equal states give equal bytes, whatever way they were reached (S6). */
export function serialiseState(state: ControlState): string {
  return canonicalJson({
    lastSequence: state.lastSequence,
    workloads: state.workloads,
    attempts: state.attempts,
    ...Object.fromEntries(Object.entries(COLLECTIONS).map(([name, rows]) => [name, rows(state)])),
  })
}
