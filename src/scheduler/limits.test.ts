import { describe, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, id } from '../base/index.ts'
import { explain } from './explain.ts'
import { planPass } from './pass.ts'
import { aGang, aMachine, apply, aQueue, aRequest, drawn, endAttempt } from './picture.ts'
import type { Plan } from './plan.ts'

const now = 10 * DAY_MS
const started = (plan: Plan) => plan.starts.map(({ workload }) => workload)

describe('[Q1] limits', () => {
  it('of a queue hold for all that is below it', () => {
    const machine = aMachine('a xx .. ..', {
      queues: [
        aQueue('org', { limitGpus: 4 }),
        aQueue('org/a', { parent: id('org') }),
        aQueue('org/b', { parent: id('org') }),
      ],
      live: { x: { queue: id('org/a') } },
      queued: [aGang('1', '1 node', { queue: id('org/b') }), aGang('2', '1 node', { queue: id('org/b') })],
    })
    expect(started(planPass(machine, now))).toEqual(['1'])
  })

  it('of a user hold in their queue', () => {
    const machine = aMachine('a .. ..', {
      queues: [aQueue('q', { limitGpusPerUser: 2 })],
      queued: [aGang('1', '1 node'), aGang('2', '1 node'), aGang('3', '1 node', { user: id('v') })],
    })
    expect(started(planPass(machine, now)).sort()).toEqual(['1', '3'])
  })

  it('hold where whole nodes of some kind have more GPUs than of others', () => {
    const options = { queues: [aQueue('q', { limitGpus: 2 })], queued: [aGang('1', '1 node')] }
    expect(drawn(aMachine('a .... ..', options), planPass(aMachine('a .... ..', options), now))).toBe(
      'a .... 11',
    )
    const machine = aMachine('a .... xx', { ...options, live: { x: { queue: id('other') } } })
    expect(started(planPass(machine, now))).toEqual([])
    expect(explain(machine, now, id('1'), 0).blockers).toMatchObject([{ kind: 'capacity', needed: 2 }])
  })
})

describe('[Q2] what is not lent', () => {
  it('stays free for its queue', () => {
    const machine = aMachine('a .. ..', {
      queues: [aQueue('keeper', { guaranteedGpus: 2, lendable: false })],
      queued: [aGang('1', '1 node'), aGang('2', '1 node'), aGang('3', '1 node', { queue: id('keeper') })],
    })
    expect(started(planPass(machine, now)).sort()).toEqual(['1', '3'])
    machine.dequeue(id('3'), 0)
    const [blocker] = explain(machine, now, id('2'), 0).blockers
    expect(blocker).toMatchObject({ kind: 'quota', needed: 2, available: 0 })
  })

  it('is no guarantee at all for work that could not be ended again', () => {
    const machine = aMachine('a .. ..', {
      queues: [aQueue('lender', { guaranteedGpus: 2 })],
      queued: [aGang('1', '1 node', { preemptible: false }), aGang('2', '1 node', { preemptible: false })],
    })
    expect(started(planPass(machine, now))).toEqual(['1'])
  })
})

describe('[Q3] a budget', () => {
  const budget = { gpuHours: 10, windowMs: DAY_MS }

  it('lets start what it still pays for in its window, and says when it will pay for more', () => {
    const machine = aMachine('a .. ..', {
      queues: [aQueue('q', { budget })],
      queued: [
        aGang('1', '1 node', { limitMs: 3 * HOUR_MS }),
        aGang('2', '1 node', { limitMs: 3 * HOUR_MS }),
      ],
    })
    const plan = planPass(machine, now)
    expect(started(plan)).toEqual(['1'])
    const [attempt] = apply(machine, plan, now)
    endAttempt(machine, attempt!, now + 3 * HOUR_MS)
    const later = now + 3 * HOUR_MS
    const blocked = planPass(machine, later)
    expect(started(blocked)).toEqual([])
    expect(blocked.nextPassAt).toBe(later + DAY_MS)
    expect(explain(machine, later, id('2'), 0).blockers).toMatchObject([
      { kind: 'limit', needed: 6, available: 4, unit: 'GPU-hours', earliestEndAt: later + DAY_MS },
    ])
    expect(started(planPass(machine, now + DAY_MS + 2 * HOUR_MS))).toEqual(['2'])
  })
})

describe('[Q4] a guarantee in whole domains', () => {
  it('is named where it alone keeps work that may not be ended waiting (chaos seed 654)', () => {
    const owner = aQueue('owner', { guaranteedDomains: { level: 'block', count: 1 } })
    const request = aRequest('2 nodes', { within: { level: 'block', mode: 'required' } })
    const machine = aMachine('a .. ..\nb .. !..\nc .. !..', {
      queues: [owner, aQueue('other')],
      queued: [aGang('g', '2 nodes', { queue: id('other'), preemptible: false, request })],
    })
    expect(planPass(machine, now).starts).toEqual([])
    expect(explain(machine, now, id('g'), 0).blockers).toMatchObject([
      {
        kind: 'quota',
        message: expect.stringContaining('whole domains that are guaranteed to other queues'),
      },
      { kind: 'health' },
    ])
  })

  it('of a child is inside that of its parent, not beside it', () => {
    const domains = (count: number) => ({ guaranteedDomains: { level: 'block', count } })
    const machine = aMachine('a ..\nb ..\nc ..', {
      queues: [
        aQueue('org', domains(2)),
        aQueue('org/a', { parent: id('org'), ...domains(1) }),
        aQueue('org/b', { parent: id('org') }),
        aQueue('other'),
      ],
      queued: ['other', 'other', 'org/b'].map((queue, at) =>
        aGang(`${at + 1}`, '1 node', { queue: id(queue), preemptible: false }),
      ),
    })
    expect(started(planPass(machine, now)).sort()).toEqual(['1', '3'])
  })
})

describe('[C1] a calendar window', () => {
  const maintenance = {
    id: id<never>('m'),
    kind: 'maintenance' as const,
    from: now + 2 * HOUR_MS,
    to: now + 4 * HOUR_MS,
    nodes: [id<never>('a.1')],
    reason: 'new optics',
  }

  it('keeps out what might still run when it opens', () => {
    const machine = aMachine('a ..', { queued: [aGang('g', '1 node', { limitMs: 3 * HOUR_MS })] })
    machine.setReservation(maintenance)
    const plan = planPass(machine, now)
    expect(plan.starts).toEqual([])
    expect(plan.nextPassAt).toBe(maintenance.from)
    const { blockers, counterfactuals } = explain(machine, now, id('g'), 0)
    expect(blockers[0]!.kind).toBe('reservation')
    expect(blockers[0]!.message).toContain('new optics')
    expect(counterfactuals).toContainEqual(
      expect.objectContaining({ change: { kind: 'shorter-limit', limitMs: 2 * HOUR_MS }, startsNow: true }),
    )
    expect(started(planPass(machine, maintenance.to))).toEqual(['g'])
  })

  it('lets in what has ended by then', () => {
    const machine = aMachine('a ..', { queued: [aGang('g', '1 node', { limitMs: 2 * HOUR_MS })] })
    machine.setReservation(maintenance)
    expect(started(planPass(machine, now))).toEqual(['g'])
  })

  it('is open to its owners only', () => {
    const mine = { user: id<never>('owner') }
    const machine = aMachine('a .. ..', { queued: [aGang('1', '2 nodes'), aGang('2', '2 nodes', mine)] })
    machine.setReservation({ ...maintenance, kind: 'reserved', from: now, owners: { users: [id('owner')] } })
    expect(started(planPass(machine, now))).toEqual(['2'])
  })

  it('names a whole domain by its path', () => {
    const machine = aMachine(
      `a .. ..
       b .. ..`,
      { queued: [aGang('g', '2 nodes')] },
    )
    machine.setReservation({ ...maintenance, from: now, nodes: { domain: ['a'] } })
    expect(drawn(machine, planPass(machine, now))).toBe('a .. ..\nb gg gg')
  })
})
