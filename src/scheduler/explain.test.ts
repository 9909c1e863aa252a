import { describe, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, id, MINUTE_MS } from '../base/index.ts'
import { explain, explainAll } from './explain.ts'
import { planPass } from './pass.ts'
import { aGang, aMachine, aNode, apply, aQueue, aRequest, type MachineOptions } from './picture.ts'

const now = 10 * DAY_MS

/** What is said of the gang `g`. */
function said(drawing: string, options: MachineOptions): string[] {
  const { blockers } = explain(aMachine(drawing, options), now, id('g'), 0)
  return blockers.map(({ message }) => message)
}

describe('[X1] what is missing is said in numbers that add up', () => {
  const cannotEvict = { live: { x: { preemptible: false }, y: { preemptible: false } } }

  it.each([
    ['a xx', '2 gpus', 'It needs 2 GPUs and none of the right kind is free.'],
    ['a x. yy', '1 node', 'It needs 2 GPUs and 1 of the right kind is free.'],
    [
      'a x. y.',
      '1 node',
      '2 GPUs of the right kind are free, but scattered over 2 nodes: it needs 1 node with 2 free in the whole cluster, and the most there is 0.',
    ],
    [
      'a .. y. !..',
      '3 nodes x 1',
      '3 GPUs of the right kind are free, but scattered over 2 nodes: it needs 3 nodes with 1 free each in the whole cluster, and the most there is 2.',
    ],
    [
      'a .... .xxx .xxx .xxx',
      '6 gpus',
      '7 GPUs of the right kind are free, but scattered over 4 nodes: it needs 1 node with 4 free and one more with 2 in the whole cluster, and the most there is 1.',
    ],
  ])('%s, %s', (drawing, want, message) => {
    const messages = said(drawing, { ...cannotEvict, queued: [aGang('g', want)] })
    expect(messages.join(' ')).toContain(message)
  })

  it('says that segments do not fit where nodes are enough', () => {
    const request = aRequest('4 nodes', { segment: { nodes: 2, level: 'block' } })
    const drawing = `a .. xx
                     b .. xx
                     c .. ..`
    expect(said(drawing, { ...cannotEvict, queued: [aGang('g', '4 nodes', { request })] })).toEqual([
      '8 GPUs of the right kind are free, but scattered over 4 nodes: it needs 4 nodes with 2 free each in segments of 2 inside one block in the whole cluster, and the most there is 2.',
    ])
  })

  it('says that CPU is missing beside GPUs that are free', () => {
    const machine = aMachine('a ..', { queued: [aGang('first', '1 gpu', { request: hungry(90_000) })] })
    apply(machine, planPass(machine, now), now)
    machine.enqueue(aGang('g', '1 gpu', { request: hungry(8_000) }))
    expect(explain(machine, now, id('g'), 0).blockers[0]!.message).toBe(
      '1 GPU of the right kind is free, but too few of their nodes have 8 CPUs free beside them.',
    )
  })

  it('says how large the largest piece of a GPU is', () => {
    const machine = aMachine('a ..', { queued: ['1', '2'].map((name) => aGang(name, '0.75 gpu')) })
    apply(machine, planPass(machine, now), now)
    machine.enqueue(aGang('g', '0.5 gpu'))
    expect(explain(machine, now, id('g'), 0).blockers[0]!.message).toBe(
      '0.5 of a GPU of the right kind is free, but in smaller parts: it needs 0.5 of a GPU in one piece, and the largest piece is 0.25 of a GPU.',
    )
  })

  it('counts no fewer than no GPUs free where nodes went down under what is held', () => {
    const machine = aMachine('a xx yy ..', {
      queues: [aQueue('keeper', { guaranteedGpus: 3, lendable: false })],
      queued: [aGang('g', '1 node')],
    })
    for (const node of ['a.1', 'a.3']) machine.setNode(aNode(node, ['a'], 2), 'down')
    expect(explain(machine, now, id('g'), 0).blockers[0]).toMatchObject({
      message:
        'It needs 2 GPUs beyond the guarantee of queue q; no GPU is free, and the next 3 GPUs are guaranteed to queues that do not lend.',
      available: 0,
    })
  })

  it('says when a limit can never let it start, and when just now', () => {
    const queues = [aQueue('q', { limitGpus: 2 })]
    expect(said('a .. ..', { queues, queued: [aGang('g', '2 nodes')] })).toEqual([
      'It needs 4 GPUs, and queue q may never hold more than 2 GPUs.',
    ])
    const live = { x: { queue: id<never>('q') } }
    expect(said('a x. ..', { queues, live, queued: [aGang('g', '2 gpus')] })).toEqual([
      'It needs 2 GPUs; queue q holds 1 GPU of at most 2 GPUs, so 1 GPU is left.',
    ])
  })

  it('names whole domains that others are guaranteed, for what they could not get back', () => {
    const machine = aMachine('a .. ..', {
      queues: [aQueue('owner', { guaranteedDomains: { level: 'block', count: 1 } })],
      queued: [aGang('g', '1 node', { preemptible: false })],
    })
    const kinds = explain(machine, now, id('g'), 0).blockers.map(({ message }) => message)
    expect(kinds.join()).toContain('whole domains that are guaranteed to other queues')
  })

  it('names nothing that is kept where only a node that failed is in the way', () => {
    const avoid = [{ node: id<never>('a.1'), until: now + HOUR_MS }]
    expect(said('a .. !..', { queued: [aGang('g', '1 node', { avoid })] })).toEqual([
      'It avoids node a.1, where it failed, for another 1h.',
      'It would fit if all nodes were ready; 1 of the right kind is not: a.2.',
    ])
  })

  it('says of a gang whose place is being cleared that it is', () => {
    const machine = aMachine('a xx', { queued: [aGang('g', '1 node', { priority: 2 })] })
    expect(explain(machine, now, id('g'), 0).blockers).toMatchObject([
      {
        message: 'Its place is held for it; it starts as soon as one workload there has ended.',
        holders: [{ workload: 'x' }],
      },
    ])
  })
})

describe('[X2] nothing is offered that would not come true', () => {
  const offered = (drawing: string, options: MachineOptions) =>
    explain(aMachine(drawing, options), now, id('g'), 0).counterfactuals

  it('no eviction of nobody, and none that leaves a limit in the way', () => {
    const queues = [aQueue('q', { limitGpus: 2 })]
    const full = { queues, live: { x: { queue: id<never>('q'), priority: 3 } } }
    const queued = [aGang('g', '1 node', { priority: 2 })]
    expect(offered('a xx ..', { ...full, queued })).toEqual([])
    expect(offered('a xx yy', { ...full, queued })).toEqual([])
  })

  it('nothing at all while its time has not come', () => {
    const queued = [aGang('g', '3 nodes', { notBefore: now + MINUTE_MS })]
    expect(offered('a .. ..', { queued })).toEqual([])
    expect(offered('a .. .. xx', { queued })).toEqual([])
  })

  it('nothing behind a head whose order is strict', () => {
    const queued = [aGang('head', '3 nodes'), aGang('g', '3 nodes', { submittedAt: 1 })]
    expect(offered('a .. .. xx', { policy: { backfill: 'strict' }, queued })).toEqual([])
  })

  it('no node on which it failed', () => {
    const avoid = [{ node: id<never>('a.1'), until: now + HOUR_MS }]
    expect(offered('a .. !.. !..', { queued: [aGang('g', '2 nodes', { avoid })] })).toEqual([])
    expect(offered('a .. !.. !..', { queued: [aGang('g', '2 nodes')] })).toMatchObject([
      { message: 'With 1 node instead of 2 it starts now.' },
    ])
  })

  it('no eviction of what the pass ends already', () => {
    const live = { x: { priority: 0 }, y: { priority: 0 } }
    const queued = [aGang('h', '1 node', { priority: 3 }), aGang('g', '2 nodes', { priority: 2 })]
    expect(planPass(aMachine('a xx yy', { live, queued }), now).evictions).toHaveLength(1)
    expect(offered('a xx yy', { live, queued })).toEqual([])
  })

  it('no end of a window where others ahead would take the room', () => {
    const machine = aMachine('a ..', {
      queued: [aGang('first', '1 node'), aGang('g', '1 node', { submittedAt: 1 })],
    })
    const from = now + HOUR_MS
    machine.setReservation({
      id: id('m'),
      kind: 'maintenance',
      from,
      to: from + HOUR_MS,
      nodes: { domain: ['a'] },
      reason: '',
    })
    const without = (workload: string) =>
      explain(machine, now, id(workload), 0).counterfactuals.filter(
        ({ change }) => change.kind === 'without-reservation',
      )
    expect(without('first')).toHaveLength(1)
    expect(without('g')).toEqual([])
  })
})

describe('the place in the line', () => {
  it('is that of the turn that each would have, and those who start come first', () => {
    const team = (name: string, submittedAt: number) =>
      aGang(`${name}${submittedAt}`, '2 nodes', { queue: id(name), submittedAt })
    const machine = aMachine('a .. ..', { queued: [team('a', 1), team('a', 2), team('b', 3), team('b', 4)] })
    const places = explainAll(machine, now).map(({ workload, position }) => [workload, position])
    expect(places).toEqual([
      ['a1', 1],
      ['b3', 2],
      ['b4', 3],
      ['a2', 4],
    ])
  })
})

function hungry(cpuMilli: number) {
  return aRequest('1 gpus', { cpuMilli })
}
