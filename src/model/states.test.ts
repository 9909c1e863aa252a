import { describe, expect, it } from 'vitest'
import type { AttemptId, NodeId, OrganisationId, QueueId, TeamId, UserId, WorkloadId } from '../base/index.ts'
import { BrokenInvariant, id } from '../base/index.ts'
import {
  ATTEMPT_STATES,
  ATTEMPT_TRANSITIONS,
  type Attempt,
  allocatedGpus,
  canNodeBecome,
  canWorkloadBecome,
  FINAL_WORKLOAD_STATES,
  isFinal,
  isNodeActionAllowed,
  isWorkloadActionAllowed,
  moveAttempt,
  moveWorkload,
  NODE_ACTIONS,
  NODE_STATES,
  openQueue,
  taskCount,
  WORKLOAD_ACTIONS,
  WORKLOAD_STATES,
  type Workload,
  type WorkloadState,
} from './index.ts'

function aWorkload(state: WorkloadState): Workload {
  return {
    id: id<WorkloadId>('w1'),
    owner: { organisation: id<OrganisationId>('o'), team: id<TeamId>('o/t'), user: id<UserId>('u') },
    queue: id<QueueId>('o/t'),
    spec: {
      type: 'train',
      name: 'x',
      priority: 'normal',
      resources: { shape: { kind: 'gpus', gpus: 1 } },
      program: { run: ['true'], env: {}, workdir: '/', tasksPer: 'gpu' },
      retry: { user: 0, platform: 1 },
      preemptible: true,
      dependsOn: [],
    },
    submittedAt: 0,
    waitsFor: [],
    state,
    stateSince: 0,
    stateReason: '',
    attemptCount: 0,
    liveAttempts: [],
    userFailures: 0,
    platformFailures: 0,
    notBefore: 0,
    avoidedNodes: [],
    usage: { held: 0, billed: 0, lost: 0 },
  }
}

/** Who may go where, written down once more by hand: rows are from, columns are to. */
const WORKLOAD_TABLE = `
            queued starting running stopping succeeded failed cancelled
queued      .      x        .       .        .         x      x
starting    x      .        x       x        x         x      .
running     x      x        .       x        x         x      .
stopping    .      .        .       .        x         x      x
succeeded   .      .        .       .        .         .      .
failed      .      .        .       .        .         .      .
cancelled   .      .        .       .        .         .      .
`

function cells(table: string): { from: string; to: string; allowed: boolean }[] {
  const [head = '', ...rows] = table.trim().split('\n')
  const columns = head.trim().split(/\s+/)
  return rows.flatMap((row) => {
    const [from = '', ...marks] = row.trim().split(/\s+/)
    return columns.map((to, i) => ({ from, to, allowed: marks[i] === 'x' }))
  })
}

describe('states', () => {
  it.each(cells(WORKLOAD_TABLE))('[M1] workload: $from to $to is $allowed', ({ from, to, allowed }) => {
    expect(canWorkloadBecome(from as WorkloadState, to as WorkloadState)).toBe(allowed)
    const workload = aWorkload(from as WorkloadState)
    const move = () => moveWorkload(workload, to as WorkloadState, 7, 'because')
    if (!allowed) return expect(move).toThrow(BrokenInvariant)
    move()
    return expect(workload).toMatchObject({ state: to, stateSince: 7, stateReason: 'because' })
  })

  it('[M2] final are the states that lead nowhere', () => {
    const leadNowhere = WORKLOAD_STATES.filter((from) =>
      WORKLOAD_STATES.every((to) => !canWorkloadBecome(from, to)),
    )
    expect(leadNowhere).toEqual([...FINAL_WORKLOAD_STATES])
    expect(WORKLOAD_STATES.filter(isFinal)).toEqual([...FINAL_WORKLOAD_STATES])
  })

  it('[M3] attempts go forward only', () => {
    for (const from of ATTEMPT_STATES) {
      for (const to of ATTEMPT_STATES) {
        const attempt = { id: id<AttemptId>('w1.1'), state: from } as Attempt
        const allowed = (ATTEMPT_TRANSITIONS[from] as readonly string[]).includes(to)
        expect(allowed && ATTEMPT_STATES.indexOf(to) <= ATTEMPT_STATES.indexOf(from)).toBe(false)
        if (allowed) moveAttempt(attempt, to)
        else expect(() => moveAttempt(attempt, to)).toThrow(BrokenInvariant)
        expect(attempt.state).toBe(allowed ? to : from)
      }
    }
    expect(ATTEMPT_TRANSITIONS.ended).toEqual([])
  })

  it('[M4] any node can come back and any node can go down', () => {
    for (const from of NODE_STATES) {
      expect(canNodeBecome(from, 'ready')).toBe(from !== 'ready')
      expect(canNodeBecome(from, 'down')).toBe(from !== 'down')
      expect(canNodeBecome(from, from)).toBe(false)
    }
  })

  it('[M5] actions are allowed exactly where they are listed', () => {
    const workloadActions = new Set(Object.values(WORKLOAD_ACTIONS).flat())
    for (const state of WORKLOAD_STATES) {
      for (const action of workloadActions) {
        const listed = (WORKLOAD_ACTIONS[state] as readonly string[]).includes(action)
        expect(isWorkloadActionAllowed(state, action)).toBe(listed)
      }
      expect(isWorkloadActionAllowed(state, 'stop') && isFinal(state)).toBe(false)
      expect(isWorkloadActionAllowed(state, 'resubmit')).toBe(isFinal(state))
    }
    for (const state of NODE_STATES) {
      expect(isNodeActionAllowed(state, 'resume')).toBe(state !== 'ready')
      expect(NODE_ACTIONS[state].length).toBeGreaterThan(0)
    }
  })

  it('[M6] a new queue is open', () => {
    expect(openQueue(id<QueueId>('o/t'), id<QueueId>('o'))).toEqual({
      id: 'o/t',
      parent: 'o',
      guaranteedGpus: 0,
      weight: 1,
      lendable: true,
    })
  })

  it('[M7] counts tasks by GPU or by node', () => {
    const allocation = {
      parts: [
        { node: id<NodeId>('a'), gpus: [0, 1, 2] },
        { node: id<NodeId>('b'), gpus: [4], milliGpus: 250 },
      ],
    }
    expect(taskCount({ tasksPer: 'gpu' }, allocation)).toBe(4)
    expect(taskCount({ tasksPer: 'node' }, allocation)).toBe(2)
    expect(allocatedGpus(allocation)).toBe(3.25)
  })
})
