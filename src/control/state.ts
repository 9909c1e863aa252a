import type {
  AttemptId,
  NodeId,
  OrganisationId,
  QueueId,
  ReservationId,
  TeamId,
  TimeMs,
  UserId,
  WorkloadId,
} from '../base/index.ts'
import { compareIds, Heap } from '../base/index.ts'
import type {
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
  UsageSpan,
  User,
  Workload,
} from '../model/index.ts'
import { DEFAULT_POLICY, NO_PRICES, NODE_LEVEL } from '../model/index.ts'
import type { Hold } from '../scheduler/index.ts'
import { Machine } from '../scheduler/index.ts'

/**
 * Everything that decisions depend on: live workloads only, final ones leave it. It is owned by the ledger and
 * changed in place by `evolve`; nothing else writes to it.
 */
export interface ControlState {
  lastSequence: number
  /** Time of the last event. Time never goes back, even where the clock does. */
  now: TimeMs
  nextWorkloadNumber: number
  cluster: ClusterDescription
  policy: Policy
  prices: Prices
  readonly organisations: Map<OrganisationId, Organisation>
  readonly teams: Map<TeamId, Team>
  readonly users: Map<UserId, User>
  /** By the SHA-256 of the secret. */
  readonly tokens: Map<string, Token>
  readonly queues: Map<QueueId, Queue>
  readonly nodes: Map<NodeId, Node>
  readonly workloads: Map<WorkloadId, Workload>
  readonly attempts: Map<AttemptId, Attempt>
  readonly holds: Map<ReservationId, Hold>
  /** Calendar windows that are not over. */
  readonly reservations: Map<ReservationId, Reservation>
  readonly derived: Derived
}

/** What could be computed from the rest and is kept because it is asked for at every step. Never stored. */
export interface Derived {
  /** The scheduler's index of nodes, queues, queued and live gangs. */
  readonly machine: Machine
  /** Nodes that people renamed, by what their engine calls them. */
  readonly renamedNodes: Map<NodeId, NodeId>
  /** Who waits for this workload's success. */
  readonly dependents: Map<WorkloadId, Set<WorkloadId>>
  /** When live attempts reach their time limit; entries of attempts that ended earlier are skipped when met. */
  readonly deadlines: Heap<Deadline>
  /** Workloads and attempts that became final since the last batch was taken for the store. */
  readonly departed: Departed
}

export interface Departed {
  readonly workloads: Map<WorkloadId, Workload>
  readonly attempts: Map<AttemptId, Attempt>
  /** How the GPUs of what ended were used, and what was waited for. */
  readonly spans: UsageSpan[]
}

/** Once it is stored, or will never be. Clearing an empty map costs as much as making one, and this is done for every batch. */
export function clearDeparted({ workloads, attempts, spans }: Departed): void {
  if (workloads.size > 0) workloads.clear()
  if (attempts.size > 0) attempts.clear()
  while (spans.length > 0) spans.pop()
}

export interface Deadline {
  readonly at: TimeMs
  readonly attempt: AttemptId
}

/** A machine with no nodes, no tenants and the default policy. */
export function emptyState(): ControlState {
  return {
    lastSequence: 0,
    now: 0,
    nextWorkloadNumber: 1,
    cluster: { name: 'banyan', levels: [NODE_LEVEL] },
    policy: DEFAULT_POLICY,
    prices: NO_PRICES,
    organisations: new Map(),
    teams: new Map(),
    users: new Map(),
    tokens: new Map(),
    queues: new Map(),
    nodes: new Map(),
    workloads: new Map(),
    attempts: new Map(),
    holds: new Map(),
    reservations: new Map(),
    derived: {
      machine: new Machine([NODE_LEVEL]),
      renamedNodes: new Map(),
      dependents: new Map(),
      deadlines: new Heap(byTimeThenId),
      departed: { workloads: new Map(), attempts: new Map(), spans: [] },
    },
  }
}

function byTimeThenId(a: Deadline, b: Deadline): number {
  return a.at - b.at || compareIds(a.attempt, b.attempt)
}
