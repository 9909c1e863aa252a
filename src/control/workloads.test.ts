import { describe, expect, it } from 'vitest'
import type { AttemptId, NodeId, WorkloadId } from '../base/index.ts'
import { id, MINUTE_MS, SECOND_MS } from '../base/index.ts'
import { openQueue } from '../model/index.ts'
import { ACME, ADA, aNode, aService, aTraining, ControlInMemory, RESEARCH } from './builders.ts'
import { nextDeadline } from './decide/tick.ts'

const W1 = id<WorkloadId>('w1')
const W2 = id<WorkloadId>('w2')
const N1 = id<NodeId>('n1')

describe('workloads', () => {
  it('[C1] takes all workloads of a submission, or none', () => {
    const control = new ControlInMemory()
    const specs = [aTraining({ name: 'good' }), aTraining({ name: 'bad', dependsOn: ['nothing'] })]
    const refused = control.rejection({ kind: 'submit', owner: ADA, specs, ended: new Map() })
    expect(refused).toMatchObject({
      code: 'no-such-dependency',
      message: expect.stringContaining('"nothing"'),
    })
    expect(control.state.workloads.size).toBe(0)
    expect(control.log.some(({ event }) => event.kind === 'workload-submitted')).toBe(false)
  })

  it('[C2] starts a dependent when what it waits for has succeeded', () => {
    const control = new ControlInMemory()
    const first = control.running(aTraining({ name: 'first' }))
    control.submit(aTraining({ name: 'second', dependsOn: ['first'] }))
    expect(control.pass()).toEqual([])
    control.ended(first, { exitCode: 0 })
    expect(control.pass()).toMatchObject([{ kind: 'launch', order: { workload: W2 } }])
  })

  it('[C2] fails a dependent, and its dependents, when what it waits for fails', () => {
    const control = new ControlInMemory()
    const first = control.running(aTraining({ name: 'first' }))
    control.submit(aTraining({ name: 'second', dependsOn: ['first'] }))
    const third = control.submit(aTraining({ name: 'third', dependsOn: ['second'] }))
    control.ended(first, { exitCode: 3 })
    expect(control.workload(W2)).toMatchObject({
      state: 'failed',
      stateReason: expect.stringContaining('w1'),
    })
    expect(control.workload(third)).toMatchObject({
      state: 'failed',
      stateReason: expect.stringContaining('w2'),
    })
  })

  it('[C2] reads how a finished dependency ended', () => {
    const control = new ControlInMemory()
    const done = new Map([['old', { id: W1, state: 'succeeded' as const }]])
    control.submit(aTraining({ dependsOn: ['old'] }), done)
    expect(control.pass()).toHaveLength(1)
    const broken = new Map([['old', { id: W1, state: 'failed' as const }]])
    const command = {
      kind: 'submit',
      owner: ADA,
      specs: [aTraining({ dependsOn: ['old'] })],
      ended: broken,
    } as const
    expect(control.rejection(command).code).toBe('dependency-failed')
  })

  it('[C3] a gang that succeeds ends its workload; a replica that exits is started again', () => {
    const control = new ControlInMemory()
    const attempt = control.running(aTraining())
    control.ended(attempt, { exitCode: 0 })
    expect(control.workload(W1)).toMatchObject({ state: 'succeeded', liveAttempts: [] })
    const replica = control.running(aService())
    control.ended(replica, { exitCode: 0 })
    expect(control.workload(W2).state).toBe('queued')
    control.now += SECOND_MS
    expect(control.pass()).toMatchObject([{ kind: 'launch', order: { attempt: 'w2.2' } }])
  })

  it('[C4] tries user failures again as often as asked, each time later, then fails with the reason', () => {
    const control = new ControlInMemory()
    control.running(aTraining({ retry: { user: 2, platform: 9 } }))
    const waits: number[] = []
    for (const number of [1, 2]) {
      control.ended(id<AttemptId>(`w1.${number}`), { exitCode: 7 })
      const { notBefore, state } = control.workload(W1)
      expect(state).toBe('queued')
      expect(control.pass()).toEqual([])
      waits.push(notBefore - control.now)
      control.now = notBefore
      expect(control.pass()).toHaveLength(1)
    }
    expect(waits[1]).toBeGreaterThan(waits[0]!)
    control.ended(id<AttemptId>('w1.3'), { exitCode: 7 })
    expect(control.workload(W1)).toMatchObject({
      state: 'failed',
      userFailures: 3,
      stateReason: expect.stringContaining('7'),
    })
  })

  it('[C5] cancels a waiting workload at once', () => {
    const control = new ControlInMemory()
    control.submit(aTraining({ resources: { shape: { kind: 'gpus', gpus: 8 } } }))
    control.do({ kind: 'stop', workload: W1, kill: false })
    expect(control.workload(W1).state).toBe('cancelled')
    expect(control.pass()).toEqual([])
  })

  it('[C5] cancels a live one when its attempts have ended, with its grace', () => {
    const control = new ControlInMemory()
    const attempt = control.running(aTraining({ checkpoint: { path: '/c', graceMs: 30 * SECOND_MS } }))
    const effects = control.do({ kind: 'stop', workload: W1, kill: false })
    expect(effects).toEqual([{ kind: 'stop', attempt, how: { signal: 'SIGTERM', graceMs: 30 * SECOND_MS } }])
    expect(control.workload(W1).state).toBe('stopping')
    control.ended(attempt, { signal: 'SIGTERM', stopped: true })
    expect(control.workload(W1).state).toBe('cancelled')
    expect(control.attempt(attempt).outcome).toBe('cancelled')
  })

  it('[C5] work that finishes while it is being stopped has succeeded', () => {
    const control = new ControlInMemory()
    const attempt = control.running(aTraining())
    control.do({ kind: 'stop', workload: W1, kill: false })
    control.ended(attempt, { exitCode: 0, stopped: false })
    expect(control.workload(W1).state).toBe('succeeded')
  })

  it('[C6] refuses a second stop unless it kills, and a kill has no grace', () => {
    const control = new ControlInMemory()
    control.running(aTraining())
    control.do({ kind: 'stop', workload: W1, kill: false })
    expect(control.rejection({ kind: 'stop', workload: W1, kill: false })).toMatchObject({
      code: 'not-allowed-in-state',
      message: expect.stringContaining('--kill'),
    })
    expect(control.do({ kind: 'stop', workload: W1, kill: true })).toMatchObject([
      { kind: 'stop', how: { signal: 'SIGKILL', graceMs: 0 } },
    ])
  })

  it('[C7] ends an attempt at its time limit, and its workload has failed', () => {
    const control = new ControlInMemory()
    const attempt = control.running(aTraining({ limitMs: MINUTE_MS, retry: { user: 5, platform: 5 } }))
    expect(nextDeadline(control.state)).toBe(control.now + MINUTE_MS)
    expect(control.do({ kind: 'tick' })).toEqual([])
    control.now += MINUTE_MS
    expect(control.do({ kind: 'tick' })).toMatchObject([
      { kind: 'stop', attempt, how: { signal: 'SIGTERM' } },
    ])
    control.ended(attempt, { signal: 'SIGTERM', stopped: true })
    expect(control.workload(W1)).toMatchObject({
      state: 'failed',
      stateReason: expect.stringContaining('time limit of 1m'),
    })
    expect(control.attempt(attempt).failure?.class).toBe('time-limit')
  })

  it('[C7] warns by the signal that was asked for, so long before the limit, and who then ends well has succeeded', () => {
    const control = new ControlInMemory()
    const warning = { signal: 'SIGUSR1', beforeMs: 20_000 }
    const attempt = control.running(aTraining({ limitMs: MINUTE_MS, warning }))
    expect(nextDeadline(control.state)).toBe(control.now + 40_000)
    control.now += 40_000
    expect(control.do({ kind: 'tick' })).toMatchObject([
      { kind: 'stop', attempt, how: { signal: 'SIGUSR1', graceMs: 20_000 } },
    ])
    control.ended(attempt, { exitCode: 0, stopped: true })
    expect(control.workload(W1).state).toBe('succeeded')
  })

  it('[C7] who does not end well after the warning has reached its limit', () => {
    const control = new ControlInMemory()
    const warning = { signal: 'SIGUSR1', beforeMs: 20_000 }
    const attempt = control.running(aTraining({ limitMs: MINUTE_MS, warning }))
    control.now += 40_000
    control.do({ kind: 'tick' })
    control.ended(attempt, { signal: 'SIGKILL', stopped: true })
    expect(control.attempt(attempt).failure?.class).toBe('time-limit')
  })

  it('[C26] starts no sooner than it was asked for', () => {
    const control = new ControlInMemory()
    control.submit(aTraining({ notBefore: control.now + MINUTE_MS }))
    expect(control.workload(W1).state).toBe('queued')
    control.now += MINUTE_MS
    control.do({ kind: 'schedule' })
    expect(control.workload(W1).state).toBe('starting')
  })

  it('[C8] a service runs while a replica is ready', () => {
    const control = new ControlInMemory()
    const attempt = control.running(aService())
    expect(control.workload(W1).state).toBe('starting')
    control.do({ kind: 'probe', attempt, ready: true, detail: '200' })
    expect(control.workload(W1).state).toBe('running')
    control.do({ kind: 'probe', attempt, ready: false, detail: '503' })
    expect(control.workload(W1)).toMatchObject({ state: 'starting', stateReason: 'no replica is ready' })
  })

  it('[C9] scaling down stops the highest replicas, scaling up queues the missing ones', () => {
    const control = new ControlInMemory()
    control.submit(aService({ replicas: 3 }))
    control.pass()
    expect(control.workload(W1).liveAttempts).toHaveLength(3)
    const stops = control.do({ kind: 'scale', workload: W1, replicas: 1 })
    expect(stops.map((effect) => effect.kind === 'stop' && control.attempt(effect.attempt).replica)).toEqual([
      1, 2,
    ])
    for (const effect of stops) if (effect.kind === 'stop') control.ended(effect.attempt, { stopped: true })
    expect(control.workload(W1).liveAttempts).toHaveLength(1)
    control.do({ kind: 'scale', workload: W1, replicas: 2 })
    expect(control.pass()).toMatchObject([{ kind: 'launch', order: { replica: 1 } }])
  })

  it('[C9] is queued again when the only replicas that ran are those it no longer wants', () => {
    const control = new ControlInMemory([aNode('n1', { gpuCount: 2 })])
    control.submit(aService({ replicas: 2 }))
    control.pass()
    const [first, second] = control.workload(W1).liveAttempts
    control.observe({
      kind: 'attempt-ended',
      attempt: first!,
      at: control.now,
      exits: [],
      cause: { kind: 'node-lost', message: 'gone', node: N1, blame: 'platform' },
    })
    control.do({ kind: 'scale', workload: W1, replicas: 1 })
    control.ended(second!, { stopped: true })
    expect(control.workload(W1)).toMatchObject({ state: 'queued', stateReason: 'w1.2 was scaled down' })
    control.now += MINUTE_MS
    expect(control.pass()).toMatchObject([{ kind: 'launch', order: { replica: 0 } }])
  })

  it('[C10] refuses a second service behind a model name', () => {
    const control = new ControlInMemory()
    control.submit(aService({ model: 'llama' }))
    const again = {
      kind: 'submit',
      owner: ADA,
      specs: [aService({ model: 'llama' })],
      ended: new Map(),
    } as const
    expect(control.rejection(again)).toMatchObject({
      code: 'model-name-taken',
      message: expect.stringContaining('w1'),
    })
  })
})

describe('the engine', () => {
  it('[C11] ignores facts that come late, twice or for attempts that nobody knows', () => {
    const control = new ControlInMemory()
    const attempt = control.running(aTraining())
    control.ended(attempt, { exitCode: 0 })
    const before = control.state.lastSequence
    const effects = control.observe(
      { kind: 'attempt-ended', attempt, at: control.now, exits: [] },
      { kind: 'attempt-running', attempt, at: control.now },
      { kind: 'attempt-progress', attempt, progress: { at: control.now, step: 1 } },
      { kind: 'attempt-running', attempt: id<AttemptId>('w99.1'), at: control.now },
    )
    expect(control.state.lastSequence).toBe(before)
    expect(effects).toEqual([{ kind: 'forget', attempt }])
  })

  it('[C12] squares the record with an engine that told all it knows', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2')])
    const lost = control.running(aTraining())
    const stopping = control.running(aTraining())
    control.do({ kind: 'stop', workload: W2, kill: false })
    control.submit(aTraining())
    control.pass()
    const effects = control.do({
      kind: 'observe',
      complete: true,
      facts: [{ kind: 'attempt-running', attempt: stopping, at: control.now }],
    })
    expect(effects).toMatchObject([
      { kind: 'stop', attempt: stopping },
      { kind: 'launch', order: { attempt: 'w3.1' } },
    ])
    expect(control.attempt(lost)).toMatchObject({ outcome: 'platform-failure' })
    expect(control.workload(W1).state).toBe('queued')
  })

  it('[C13] a node that is down takes nothing and comes back, unless a person took it out', () => {
    const control = new ControlInMemory()
    control.observe({ kind: 'node-down', node: N1, reason: 'power', at: control.now })
    control.submit(aTraining())
    expect(control.pass()).toEqual([])
    control.observe({ kind: 'node-up', node: N1, at: control.now })
    expect(control.pass()).toHaveLength(1)
    control.do({ kind: 'node-action', node: N1, action: 'cordon', reason: 'new cables' })
    control.observe({ kind: 'node-up', node: N1, at: control.now })
    expect(control.state.nodes.get(N1)).toMatchObject({ state: 'cordoned', stateReason: 'new cables' })
  })

  it('[C14] a draining node is cordoned when the last work has left', () => {
    const control = new ControlInMemory()
    const attempt = control.running(aTraining())
    control.do({ kind: 'node-action', node: N1, action: 'drain', reason: 'firmware' })
    expect(control.state.nodes.get(N1)?.state).toBe('draining')
    control.submit(aTraining())
    expect(control.pass()).toEqual([])
    control.ended(attempt, { exitCode: 0 })
    expect(control.state.nodes.get(N1)).toMatchObject({ state: 'cordoned', stateReason: 'firmware' })
  })

  it('[C15] reads a clock that stepped back as standing still', () => {
    const control = new ControlInMemory()
    control.now = 50_000
    const attempt = control.running(aTraining())
    control.now = 10_000
    control.ended(attempt, { exitCode: 0, at: 10_000 })
    expect(control.log.map(({ at }) => at)).toEqual(control.log.map(({ at }) => at).sort((a, b) => a - b))
    expect(control.workload(W1).usage.held).toBe(0)
  })

  it('takes nodes that vanish from the inventory out of use, and keeps what runs there', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2')])
    const attempt = control.running(aTraining())
    const node = control.attempt(attempt).allocation.parts[0]!.node
    control.do({ kind: 'inventory', inventory: { levels: ['site', 'node'], nodes: [] } })
    expect([...control.state.nodes.keys()]).toEqual([node])
    expect(control.state.nodes.get(node)?.state).toBe('down')
    expect(control.attempt(attempt).state).toBe('running')
  })
})

describe('quotas', () => {
  it('[C16] refuses guarantees that cannot be kept', () => {
    const control = new ControlInMemory()
    const set = (queue: object) =>
      ({ kind: 'set-queue', queue: { ...openQueue(id(RESEARCH), id(ACME)), ...queue } }) as const
    expect(control.rejection(set({ guaranteedGpus: 8 }))).toMatchObject({
      code: 'invalid-queue',
      message: expect.stringContaining('"acme" itself has 0'),
    })
    expect(control.rejection(set({ guaranteedGpus: 0, limitGpus: -1 })).code).toBe('invalid-queue')
    control.do({ kind: 'set-queue', queue: { ...openQueue(id(ACME)), guaranteedGpus: 8 } })
    control.do(set({ guaranteedGpus: 8 }))
    expect(control.state.queues.get(id(RESEARCH))?.guaranteedGpus).toBe(8)
    expect(
      control.rejection({ kind: 'set-queue', queue: { ...openQueue(id(ACME)), guaranteedGpus: 4 } }),
    ).toMatchObject({ code: 'invalid-queue', message: expect.stringContaining('guaranteed 8 GPUs together') })
  })
})
