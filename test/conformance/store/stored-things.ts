import { type AttemptId, id, type NodeId, type TeamId, type WorkloadId } from '../../../src/base/index.ts'
import type { Batch, LoggedEvent } from '../../../src/control/index.ts'
import {
  type Attempt,
  DEFAULT_RETRY,
  queueOfTeam,
  SYSTEM,
  teamId,
  type Workload,
  type WorkloadState,
} from '../../../src/model/index.ts'

/** A queued workload of `acme/research`, submitted by `ada`. */
export function aWorkload(number: number, changes: Partial<Workload> = {}): Workload {
  const team = teamId('acme', 'research')
  return {
    id: id<WorkloadId>(`w${number}`),
    owner: anOwner('acme', 'research', 'ada'),
    queue: queueOfTeam(team),
    spec: {
      type: 'train',
      name: 'tiny',
      priority: 'normal',
      resources: { shape: { kind: 'gpus', gpus: 2 } },
      program: { run: ['python train.py'], env: {}, workdir: '/work', tasksPer: 'gpu' },
      retry: DEFAULT_RETRY,
      preemptible: true,
      dependsOn: [],
    },
    submittedAt: 1_000 + number,
    waitsFor: [],
    state: 'queued',
    stateSince: 1_000 + number,
    stateReason: '',
    attemptCount: 0,
    liveAttempts: [],
    userFailures: 0,
    platformFailures: 0,
    notBefore: 0,
    avoidedNodes: [],
    usage: { held: 0, billed: 0, lost: 0 },
    ...changes,
  }
}

export function anOwner(organisation: string, team: string, user: string): Workload['owner'] {
  return { organisation: id(organisation), team: teamId(organisation, team) as TeamId, user: id(user) }
}

export function inState(workload: Workload, state: WorkloadState): Workload {
  return { ...workload, state, stateSince: workload.stateSince + 5 }
}

export function anAttempt(
  workload: number,
  number: number,
  changes: Pick<Attempt, 'state'> & { readonly endedAt?: number } = { state: 'starting' },
): Attempt {
  return {
    id: id<AttemptId>(`w${workload}.${number}`),
    workload: id<WorkloadId>(`w${workload}`),
    number,
    replica: 0,
    allocation: { parts: [{ node: id<NodeId>('node-1'), gpus: [0, 1] }] },
    plannedAt: 2_000,
    ready: false,
    ...changes,
  }
}

/** The event that a workload became stoppable, which stands for any event of a workload. */
export function anEvent(sequence: number, workload = sequence): LoggedEvent {
  return {
    sequence,
    at: 1_000 + sequence,
    actor: SYSTEM,
    cause: 'stop',
    event: {
      kind: 'workload-stopping',
      workload: id<WorkloadId>(`w${workload}`),
      reason: `reason ${sequence}`,
    },
  }
}

export function aBatch(parts: Partial<Batch>): Batch {
  return { events: [], documents: [], workloads: [], attempts: [], submissions: [], spans: [], ...parts }
}
