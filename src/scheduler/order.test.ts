import { describe, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, id, MINUTE_MS } from '../base/index.ts'
import type { Policy, Queue } from '../model/index.ts'
import type { QueuedGang } from './gang.ts'
import { planPass } from './pass.ts'
import { aGang, aMachine, aNode, aQueue, aRequest, drawn, type MachineOptions } from './picture.ts'

const now = 30 * DAY_MS

/** The machine with what the pass starts on it. */
function turn(drawing: string, options: MachineOptions): string {
  const machine = aMachine(drawing, options)
  return drawn(machine, planPass(machine, now))
}

const of = (queue: string, more: Partial<QueuedGang> = {}) => ({ queue: id<never>(queue), ...more })

/** `a` and `b` each want one node: `a` has waited longer, and its name comes first. */
const bothWant = [
  aGang('a', '1 node', of('a', { submittedAt: 1 })),
  aGang('b', '1 node', of('b', { submittedAt: 2 })),
]

describe('[O2] under `fair`, who has the next turn', () => {
  /** `x` is of queue `a`, `y` of queue `b`. */
  const live = { x: { ...of('a'), startedAt: now - HOUR_MS }, y: { ...of('b'), startedAt: now - HOUR_MS } }

  it.each<readonly [string, readonly Queue[], string, string]>([
    ['the oldest where nobody has used anything', [], 'r ..', 'r aa'],
    ['the smaller share', [], 'r xx ..', 'r xx bb'],
    ['the oldest of equal shares', [], 'r xx yy ..', 'r xx yy aa'],
    ['the smaller share over the weight', [aQueue('a', { weight: 3 })], 'r xx xx yy ..', 'r xx xx yy aa'],
    ['not by weight alone', [aQueue('a', { weight: 3 })], 'r xx xx xx xx yy ..', 'r xx xx xx xx yy bb'],
    ['one below its guarantee', [aQueue('a', { guaranteedGpus: 4 })], 'r xx ..', 'r xx aa'],
    ['not one that has its guarantee', [aQueue('a', { guaranteedGpus: 2 })], 'r xx ..', 'r xx bb'],
    [
      'of two below their guarantees the smaller share',
      [aQueue('a', { guaranteedGpus: 4 }), aQueue('b', { guaranteedGpus: 4 })],
      'r xx ..',
      'r xx bb',
    ],
  ])('%s', (_, queues, drawing, result) => {
    // Nothing is owed yet, so that this is about turns alone.
    const policy = { reclaim: false }
    expect(turn(drawing, { policy, queues, live, queued: bothWant })).toBe(result)
  })

  it('counts at each level of the tree, not by the last one alone', () => {
    const queues = [
      aQueue('one'),
      aQueue('two'),
      ...['a', 'c'].map((name) => aQueue(name, { parent: id('one') })),
    ]
    const inTree = [...queues, aQueue('b', { parent: id('two') })]
    const busy = { x: { ...of('c'), startedAt: now - HOUR_MS }, y: { ...of('b'), startedAt: now - HOUR_MS } }
    expect(turn('r xx xx yy ..', { queues: inTree, live: busy, queued: bothWant })).toBe('r xx xx yy bb')
    expect(turn('r xx yy yy ..', { queues: inTree, live: busy, queued: bothWant })).toBe('r xx yy yy aa')
  })

  it('users of one queue share it alike', () => {
    const by = (user: string, more: Partial<QueuedGang> = {}) => ({ user: id<never>(user), ...more })
    const queued = [
      aGang('a', '1 node', by('u', { submittedAt: 1 })),
      aGang('b', '1 node', by('v', { submittedAt: 2 })),
    ]
    expect(turn('r xx ..', { live: { x: by('u') }, queued })).toBe('r xx bb')
    expect(turn('r xx ..', { live: { x: by('v') }, queued })).toBe('r xx aa')
  })

  it('past use counts less the longer ago it was', () => {
    const afterUse = (usageHalfLifeMs: number) => {
      const machine = aMachine('r xx yy', {
        policy: { usageHalfLifeMs },
        live: {
          x: { ...of('a'), startedAt: now - 20 * HOUR_MS },
          y: { ...of('b'), startedAt: now - 6 * HOUR_MS },
        },
        queued: bothWant,
      })
      machine.end(id('x.1'), now - 10 * HOUR_MS)
      machine.end(id('y.1'), now - HOUR_MS)
      machine.setNode(aNode('r.2', ['r'], 2), 'down')
      return drawn(machine, planPass(machine, now))
    }
    expect(afterUse(HOUR_MS)).toBe('r aa ..')
    expect(afterUse(100 * DAY_MS)).toBe('r bb ..')
  })

  it.each([
    ['few of the scarce ones, so that it is the other that dominates', 1, 'r xx yy yy aa'],
    ['less of the scarce ones than `b` of the others, though more in all', 2, 'r xx yy yy aa'],
    ['most of the scarce ones', 4, 'r xx yy yy bb'],
  ])('the share is that of the GPU model of which a queue has most: `a` has %s', (_, gpusOfA, result) => {
    const machine = aMachine('r xx yy yy ..', { live, queued: bothWant })
    const scarce = { ...aNode('s.1', ['s'], 5), gpuModel: 'A100-80GB' }
    machine.setNode(scarce, 'ready')
    const allocation = { parts: [{ node: scarce.id, gpus: Array.from({ length: gpusOfA }, (_, g) => g) }] }
    const z = aGang('z', `${gpusOfA} gpus`, of('a'))
    machine.start(z, { attempt: id('z.1'), allocation, startedAt: now - HOUR_MS, stopping: false })
    expect(drawn(machine, planPass(machine, now)).split('\n')[0]).toBe(result)
  })
})

describe('[O3] what a running gang counts for', () => {
  const counted = (drawing: string, ranMs: number, policy: Partial<Policy> = {}) =>
    turn(drawing, {
      policy,
      live: { x: { ...of('a'), startedAt: now - ranMs }, y: { ...of('b'), startedAt: now - 3 * HOUR_MS } },
      queued: bothWant,
    })

  it('the penalty from its start, though it has held nothing yet', () => {
    expect(counted('r xx ..', 0)).toBe('r xx bb')
    expect(counted('r xx ..', 0, { entryPenaltyMs: 0 })).toBe('r xx aa')
  })

  it('what it has held beyond the penalty, not just what it holds', () => {
    // `x` holds twice as much as `y`, which has held it for three hours: 2 (t + 1) against 3 + 1.
    expect(counted('r xx xx yy ..', 50 * MINUTE_MS)).toBe('r xx xx yy aa')
    expect(counted('r xx xx yy ..', 70 * MINUTE_MS)).toBe('r xx xx yy bb')
    // Without a penalty: 2 t against 3.
    expect(counted('r xx xx yy ..', 70 * MINUTE_MS, { entryPenaltyMs: 0 })).toBe('r xx xx yy aa')
    expect(counted('r xx xx yy ..', 100 * MINUTE_MS, { entryPenaltyMs: 0 })).toBe('r xx xx yy bb')
  })

  it('the penalty counts for each start within one pass', () => {
    const burst = ['1', '2', '3'].map((name) => aGang(name, '1 node', of('a')))
    const queued = [...burst, aGang('b', '1 node', of('b', { submittedAt: 5 }))]
    expect(turn('r .. ..', { queued })).toBe('r 11 bb')
    expect(turn('r .. ..', { queued, policy: { entryPenaltyMs: 0 } })).toBe('r 11 22')
  })
})

describe('[O4] the keys of the other orders', () => {
  it.each([
    ['shortest', 'r aa'],
    ['shortest-service', 'r b.'],
    ['fifo', 'r cc'],
    ['least-attained-service', 'r dd'],
  ] as const)('%s', (ordering, result) => {
    const queued = [
      aGang('a', '2 gpus', { expectedMs: HOUR_MS, submittedAt: 2, attainedGpuMs: 1 }),
      aGang('b', '1 gpu', { expectedMs: 1.5 * HOUR_MS, submittedAt: 2, attainedGpuMs: 1 }),
      aGang('c', '2 gpus', { expectedMs: 3 * HOUR_MS, submittedAt: 1, attainedGpuMs: 1 }),
      aGang('d', '2 gpus', { expectedMs: 3 * HOUR_MS, submittedAt: 2 }),
    ]
    const policy = { ordering, runTimes: 'declared', backfill: 'strict' } as const
    expect(turn('r ..', { policy, queued })).toBe(result)
  })

  it('a place is not lost to what is learnt while it waits; who comes later is measured by it', () => {
    const policy = { ordering: 'shortest', runTimes: 'predicted' } as const
    const machine = aMachine('r ..', { policy, queued: [aGang('a', '1 node', { expectedMs: HOUR_MS })] })
    machine.enqueue(aGang('b', '1 node', { user: id('v'), expectedMs: 2 * HOUR_MS }))
    // Five runs of `u` that took four times what was declared.
    for (let i = 0; i < 5; i++)
      machine.history.add(aGang('p', '1 node', { expectedMs: HOUR_MS }), 4 * HOUR_MS)
    expect(drawn(machine, planPass(machine, now))).toBe('r aa')
    machine.dequeue(id('a'), 0)
    machine.enqueue(aGang('a', '1 node', { expectedMs: HOUR_MS }))
    expect(drawn(machine, planPass(machine, now))).toBe('r bb')
  })

  const overtaken = (ordering: Policy['ordering'], ranMs: number, more: Partial<QueuedGang>) => {
    const machine = aMachine('r xx', {
      policy: { ordering, preemptByOrdering: true, minimumRunMs: 0, runTimes: 'declared' },
      queued: [aGang('g', '1 node', { request: aRequest('2 gpus'), submittedAt: now, ...more })],
      live: { x: { startedAt: now - ranMs, expectedMs: 4 * HOUR_MS } },
    })
    return planPass(machine, now).evictions.length > 0
  }

  it.each([
    ['shortest', 'has an hour and a half left', 2.5 * HOUR_MS, true],
    ['shortest', 'has half an hour left', 3.5 * HOUR_MS, false],
    ['shortest-service', 'has an hour and a half left', 2.5 * HOUR_MS, true],
    ['shortest-service', 'has half an hour left', 3.5 * HOUR_MS, false],
  ] as const)('%s: what runs and %s is compared by that with an hour', (ordering, _, ranMs, gives) => {
    expect(overtaken(ordering, ranMs, { expectedMs: HOUR_MS })).toBe(gives)
  })

  it('predicted run times are what the program reports, once it does, whether it runs or waits', () => {
    const evicts = (left: Partial<QueuedGang>, ownLeft: Partial<QueuedGang> = {}) => {
      const machine = aMachine('r xx', {
        policy: { ordering: 'shortest', preemptByOrdering: true, minimumRunMs: 0, runTimes: 'predicted' },
        queued: [aGang('g', '1 node', { expectedMs: HOUR_MS, submittedAt: now, ...ownLeft })],
        live: { x: { startedAt: now - HOUR_MS, expectedMs: 24 * HOUR_MS, ...left } },
      })
      return planPass(machine, now).evictions.length > 0
    }
    expect(evicts({})).toBe(true)
    expect(evicts({ timeLeft: { ms: HOUR_MS, at: now - HOUR_MS / 2 } })).toBe(false)
    expect(evicts({ timeLeft: { ms: 3 * HOUR_MS, at: now - HOUR_MS } })).toBe(true)
    expect(evicts({}, { timeLeft: { ms: 30 * HOUR_MS, at: 0 } })).toBe(false)
    // What was reported of an earlier attempt counts from the start of this one.
    expect(evicts({ timeLeft: { ms: HOUR_MS + MINUTE_MS, at: 0 } })).toBe(false)
  })

  it('what runs on when its time is over is taken to need as much again as it is overdue', () => {
    expect(overtaken('shortest', 4.5 * HOUR_MS, { expectedMs: HOUR_MS })).toBe(false)
    expect(overtaken('shortest', 5.5 * HOUR_MS, { expectedMs: HOUR_MS })).toBe(true)
  })

  it('least-attained-service: what runs is compared by what it has attained now', () => {
    const ordering = 'least-attained-service'
    // It takes turns that grow, so that it is not enough to have attained a little more.
    expect(overtaken(ordering, 4 * HOUR_MS, { attainedGpuMs: HOUR_MS })).toBe(true)
    expect(overtaken(ordering, 20 * MINUTE_MS, { attainedGpuMs: HOUR_MS })).toBe(false)
  })
})
