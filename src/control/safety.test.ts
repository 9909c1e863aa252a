import { describe, expect, it } from 'vitest'
import type { AttemptId, NodeId, OrganisationId, UserId, WorkloadId } from '../base/index.ts'
import { HOUR_MS, id, MINUTE_MS, SECOND_MS } from '../base/index.ts'
import { teamId } from '../model/index.ts'
import { planPass } from '../scheduler/index.ts'
import { aNode, aService, aTraining, ControlInMemory } from './builders.ts'
import { decide } from './decide/index.ts'
import { DEFAULT_FAILURE_CLASSES } from './default-failure-classes.ts'
import { violations } from './invariants.ts'
import { serialiseState } from './records.ts'

const EIGHT = { shape: { kind: 'gpus', gpus: 8 } } as const

describe('safety rules of control', () => {
  it('[S1] launches a gang by one order that holds all of it', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2')])
    control.submit(aTraining({ resources: { shape: { kind: 'nodes', nodes: 2 } } }))
    const effects = control.pass()
    expect(effects).toHaveLength(1)
    expect(effects[0]).toMatchObject({
      kind: 'launch',
      order: { attempt: 'w1.1', allocation: { parts: [{ node: 'n1' }, { node: 'n2' }] } },
    })
  })

  it('[S1] starts nothing of a gang that fits only in part', () => {
    const control = new ControlInMemory([aNode('n1')])
    control.submit(aTraining({ resources: { shape: { kind: 'nodes', nodes: 2 } } }))
    expect(control.pass()).toEqual([])
  })

  it('[S1] the checker sees a gang that holds less than it asked for', () => {
    const control = new ControlInMemory()
    const attempt = control.running(aTraining({ resources: EIGHT }))
    control.state.attempts.get(attempt)!.allocation = { parts: [{ node: id<NodeId>('n1'), gpus: [0] }] }
    expect(violations(control.state)).toMatchObject([{ rule: 'S1' }])
  })

  it('[S2] keeps the GPUs of an attempt that is stopping until its end is seen', () => {
    const control = new ControlInMemory()
    const first = control.running(aTraining({ resources: EIGHT }))
    control.do({ kind: 'stop', workload: id<WorkloadId>('w1'), kill: true })
    control.submit(aTraining({ resources: EIGHT }))
    expect(control.pass()).toEqual([])
    control.ended(first, { signal: 'SIGKILL', stopped: true })
    expect(control.pass()).toMatchObject([{ kind: 'launch', order: { workload: 'w2' } }])
  })

  it('[S2] the checker sees a GPU in two allocations', () => {
    const control = new ControlInMemory()
    const a = control.running(aTraining())
    const b = control.running(aTraining())
    control.state.attempts.get(b)!.allocation = control.state.attempts.get(a)!.allocation
    expect(violations(control.state)).toMatchObject([{ rule: 'S2' }])
  })

  it('[S3] evicts only together with a hold for the workload that takes the place', () => {
    const control = new ControlInMemory()
    const low = control.running(aTraining({ priority: 'low', resources: EIGHT }))
    control.now += 60 * MINUTE_MS
    const high = control.submit(aTraining({ priority: 'critical', resources: EIGHT }))
    const effects = control.pass()
    expect(effects).toMatchObject([{ kind: 'stop', attempt: low }])
    expect(control.attempt(low).stop).toMatchObject({ reason: 'preempted', for: high })
    expect([...control.state.holds.values()]).toMatchObject([{ workload: high, waitsFor: [low] }])
    control.now += SECOND_MS
    control.ended(low, { exitCode: 143, stopped: true })
    expect(control.attempt(low).outcome).toBe('preempted')
    expect(control.pass()).toMatchObject([{ kind: 'launch', order: { workload: high } }])
    expect(control.state.holds.size).toBe(0)
    expect(control.workload(id<WorkloadId>('w1')).state).toBe('queued')
  })

  it('[S3] the checker sees an eviction that serves nobody', () => {
    const control = new ControlInMemory()
    const low = control.running(aTraining({ priority: 'low', resources: EIGHT }))
    control.now += 60 * MINUTE_MS
    control.submit(aTraining({ priority: 'critical', resources: EIGHT }))
    control.pass()
    expect(control.attempt(low).state).toBe('stopping')
    control.state.holds.clear()
    expect(violations(control.state)).toMatchObject([{ rule: 'S3' }])
  })

  it('[S4] ends nothing when contact is lost, a node goes down or facts stay out', () => {
    const control = new ControlInMemory()
    const attempt = control.running(aTraining())
    control.do({ kind: 'contact', contact: 'lost' })
    control.observe({ kind: 'node-down', node: id<NodeId>('n1'), reason: 'not responding', at: control.now })
    control.now += 1_000 * MINUTE_MS
    control.do({ kind: 'tick' })
    control.observe()
    expect(control.attempt(attempt).state).toBe('running')
    expect(control.state.nodes.get(id<NodeId>('n1'))).toMatchObject({ state: 'down', contact: 'lost' })
  })

  it('[S5] a restart loads what the stored batches led to', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2')])
    control.running(aTraining({ resources: EIGHT, limitMs: MINUTE_MS }))
    control.running(aService())
    control.submit(aTraining({ resources: { shape: { kind: 'nodes', nodes: 2 } } }))
    const before = serialiseState(control.state)
    control.restart()
    expect(serialiseState(control.state)).toBe(before)
    control.now += 2 * MINUTE_MS
    expect(control.do({ kind: 'tick' })).toMatchObject([{ kind: 'stop', attempt: 'w1.1' }])
  })

  it('[S6] replaying the events gives the same state, byte for byte', () => {
    const control = new ControlInMemory()
    const failing = control.running(aTraining({ retry: { user: 1, platform: 5 } }))
    control.ended(failing, { exitCode: 1 })
    control.running(aService({ replicas: 2 }))
    control.do({ kind: 'remove-user', user: id<UserId>('ada') })
    expect(control.replayed()).toBe(serialiseState(control.state))
  })

  it('[S5] a restart survives a hold whose workload was stopped a moment before (chaos seed 398)', () => {
    const control = new ControlInMemory()
    control.running(aTraining({ resources: EIGHT }))
    const urgent = control.submit(aTraining({ priority: 'high', resources: EIGHT }))
    control.now += HOUR_MS
    control.pass()
    expect([...control.state.holds.values()]).toMatchObject([{ workload: urgent }])
    control.do({ kind: 'stop', workload: urgent, kill: false })
    control.restart()
    control.pass()
    expect(control.state.holds.size).toBe(0)
  })

  it('[S6] what is remembered of past use is the same after a restart and after a replay, whenever its half-life changed', () => {
    const control = new ControlInMemory()
    const halve = () => {
      const { policy } = control.state
      control.do({ kind: 'set-policy', policy: { ...policy, usageHalfLifeMs: policy.usageHalfLifeMs / 2 } })
      const state = serialiseState(control.state)
      expect([control.replayed(), serialiseState(control.restored())]).toEqual([state, state])
    }
    halve()
    const attempt = control.running(aTraining({ resources: EIGHT }))
    control.now += 10 * MINUTE_MS
    halve()
    control.ended(attempt, { exitCode: 0 })
    control.now += 10 * MINUTE_MS
    halve()
  })

  it('[S7] a platform failure costs no retry and bills nothing that was lost; its node is avoided', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2')])
    const attempt = control.running(aTraining({ resources: EIGHT }))
    const [part] = control.attempt(attempt).allocation.parts
    control.now += 10 * MINUTE_MS
    control.observe({
      kind: 'attempt-progress',
      attempt,
      progress: { at: control.now, step: 100 },
      checkpoint: { at: control.now, step: 100, path: '/ckpt/100' },
    })
    control.now += 5 * MINUTE_MS
    control.observe({
      kind: 'attempt-ended',
      attempt,
      at: control.now,
      exits: [],
      cause: { kind: 'node-lost', message: 'the node is gone', node: part!.node, blame: 'platform' },
    })
    const workload = control.workload(id<WorkloadId>('w1'))
    expect(workload).toMatchObject({ state: 'queued', userFailures: 0, platformFailures: 1 })
    expect(workload.usage).toEqual({
      held: 8 * 15 * MINUTE_MS,
      billed: 8 * 10 * MINUTE_MS,
      lost: 8 * 5 * MINUTE_MS,
    })
    control.now += MINUTE_MS
    control.pass()
    const again = control.attempt(id<AttemptId>('w1.2'))
    expect(again.allocation.parts[0]!.node).not.toBe(part!.node)
    expect(again.resumedFromStep).toBe(100)
  })

  it('[S7] a blamed node that is the only one is tried again', () => {
    const control = new ControlInMemory()
    const attempt = control.running(aTraining())
    control.ended(attempt, { signal: 'SIGKILL' })
    expect(control.attempt(attempt)).toMatchObject({ outcome: 'platform-failure', failure: { node: 'n1' } })
    control.now += SECOND_MS
    expect(control.pass()).toMatchObject([{ kind: 'launch', order: { attempt: 'w1.2' } }])
  })

  it("[S9] another organisation's workload cannot be a dependency", () => {
    const control = new ControlInMemory()
    const mine = control.submit(aTraining({ name: 'secret' }))
    const rival = id<OrganisationId>('rival')
    control.do({ kind: 'create-organisation', organisation: rival })
    control.do({ kind: 'create-team', team: { id: teamId(rival, 'x'), organisation: rival } })
    for (const reference of [mine, 'secret']) {
      expect(
        control.rejection({
          kind: 'submit',
          owner: { organisation: rival, team: teamId(rival, 'x'), user: id<UserId>('eve') },
          specs: [aTraining({ dependsOn: [reference] })],
          ended: new Map(),
        }).code,
      ).toBe('no-such-dependency')
    }
  })

  it('[S10] the same state, command and context give the same decision', () => {
    const [a, b] = [new ControlInMemory(), new ControlInMemory()]
    for (const control of [a, b]) {
      control.submit(aTraining())
      control.submit(aTraining({ priority: 'high' }))
    }
    const context = {
      now: 5_000,
      actor: { kind: 'system' },
      failureClasses: DEFAULT_FAILURE_CLASSES,
    } as const
    expect(decide(a.state, { kind: 'schedule' }, context)).toEqual(
      decide(b.state, { kind: 'schedule' }, context),
    )
  })

  it('[S7] no replica is moved to a node that has failed another one of its workload', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2')])
    control.submit(aService({ replicas: 2 }))
    control.pass()
    const [first, second] = control.state.workloads.get(id<WorkloadId>('w1'))!.liveAttempts
    const place = (attempt: AttemptId) => control.attempt(attempt).allocation.parts[0]!.node
    expect(place(first!)).toBe(place(second!))
    const other = place(first!) === 'n1' ? id<NodeId>('n2') : id<NodeId>('n1')
    control.observe({
      kind: 'attempt-ended',
      attempt: second!,
      at: control.now,
      exits: [],
      cause: { kind: 'launch-refused', message: 'a broken disk', node: other, blame: 'platform' },
    })
    expect(control.workload(id<WorkloadId>('w1')).avoidedNodes.map(({ node }) => node)).toEqual([other])
    control.do({ kind: 'node-action', node: place(first!), action: 'drain', reason: 'test' })
    control.pass()
    expect(control.attempt(first!).stop).toBeUndefined()
  })

  it('[S10] a restart changes no decision, though more is known of run times than when the attempts started', () => {
    const control = new ControlInMemory()
    control.running(aTraining({ name: 'of unknown length' }))
    const short = ['a', 'b', 'c', 'd', 'e'].map((name) => control.running(aTraining({ name })))
    control.now += 30 * MINUTE_MS
    for (const attempt of short) control.ended(attempt, { exitCode: 0 })
    control.submit(aTraining({ name: 'head', resources: EIGHT }))
    const behind = control.submit(aTraining({ name: 'behind', limitMs: 120 * MINUTE_MS }))
    const plan = planPass(control.state.derived.machine, control.now)
    expect(plan.starts.map(({ workload }) => workload)).toEqual([behind])
    expect(planPass(control.restored().derived.machine, control.now)).toEqual(plan)
  })
})
