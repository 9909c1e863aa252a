import { describe, expect, it } from 'vitest'
import { HOUR_MS, id, MINUTE_MS } from '../base/index.ts'
import { planPass } from './pass.ts'
import { aGang, aMachine, apply, aQueue, aRequest, drawn, endAttempt, picture } from './picture.ts'
import type { Plan } from './plan.ts'

const now = 10 * HOUR_MS
const ended = (plan: Plan) => plan.evictions.map(({ attempt }) => attempt)

describe('[E1] preemption', () => {
  it('ends only lower priority of the same queue', () => {
    const machine = aMachine('a xx yy zz', {
      queued: [aGang('g', '1 node', { priority: 2 })],
      live: { x: { priority: 2 }, y: { queue: id('other') }, z: { checkpointAt: now } },
    })
    expect(ended(planPass(machine, now))).toEqual(['z.1'])
  })

  it('leaves alone what has not yet run for the minimum', () => {
    const machine = aMachine('a xx', {
      queued: [aGang('g', '1 node', { priority: 2 })],
      live: { x: { startedAt: now - MINUTE_MS } },
    })
    expect(ended(planPass(machine, now))).toEqual([])
  })

  it('ends by the limit of a queue as well as by the machine', () => {
    const machine = aMachine('a xx yy ..', {
      queues: [aQueue('q', { limitGpus: 4 })],
      queued: [aGang('g', '1 node', { priority: 2 })],
      live: { x: { checkpointAt: now - HOUR_MS }, y: { checkpointAt: now } },
    })
    expect(ended(planPass(machine, now))).toEqual(['y.1'])
  })
})

describe('[Q1] a limit', () => {
  it('is kept while the victims of it still end, wherever they stand (chaos seed 205)', () => {
    const machine = aMachine('a xx yy ..', {
      queues: [aQueue('q', { limitGpusPerUser: 4 })],
      queued: [aGang('g', '1 node', { priority: 2 })],
      live: { x: { checkpointAt: now - HOUR_MS }, y: { checkpointAt: now } },
    })
    const plan = planPass(machine, now)
    expect(ended(plan)).toEqual(['y.1'])
    expect(plan.starts).toEqual([])
    expect(plan.holds).toMatchObject([{ workload: 'g', waitsFor: ['y.1'] }])
  })
})

describe('[E4] work on a draining node', () => {
  it('is left alone where a lowered limit would not let it start again (chaos seed 446)', () => {
    const machine = (limitGpus: number) =>
      aMachine('a ~xx ..', {
        queues: [aQueue('q', { limitGpus })],
        live: { x: { checkpointAt: now } },
      })
    expect(ended(planPass(machine(2), now))).toEqual(['x.1'])
    expect(ended(planPass(machine(1), now))).toEqual([])
  })
})

describe('[E2] victims', () => {
  it('are those that lose the least work since their last checkpoint', () => {
    const machine = aMachine('a xx yy zz', {
      queued: [aGang('g', '1 node', { priority: 2 })],
      live: {
        x: { checkpointAt: now - HOUR_MS },
        y: { checkpointAt: now - MINUTE_MS },
        z: { checkpointAt: now - 2 * MINUTE_MS },
      },
    })
    expect(ended(planPass(machine, now))).toEqual(['y.1'])
  })

  it('are whole gangs, so a gang that frees more than is needed may be dearer than two small ones', () => {
    const machine = aMachine('a xx xx xx xx yy zz', {
      queued: [aGang('g', '2 nodes', { priority: 2 })],
      live: {
        x: { checkpointAt: now - 10 * MINUTE_MS },
        y: { checkpointAt: now - 5 * MINUTE_MS },
        z: { checkpointAt: now - 5 * MINUTE_MS },
      },
    })
    expect(ended(planPass(machine, now))).toEqual(['y.1', 'z.1'])
  })

  it('go back into the line, and the place is kept until its gang has started', () => {
    const machine = aMachine('a xx', {
      queued: [aGang('g', '1 node', { priority: 2 }), aGang('s', '1 gpu', { submittedAt: 1, priority: 3 })],
      live: { x: { checkpointAt: now } },
      policy: { preempt: true },
    })
    const plan = planPass(machine, now)
    apply(machine, plan, now)
    endAttempt(machine, 'x.1', now + MINUTE_MS)
    const next = planPass(machine, now + MINUTE_MS)
    const beneficiaries = new Set(plan.evictions.map((eviction) => eviction.for))
    expect(next.starts.map(({ workload }) => workload)).toEqual([...beneficiaries])
  })
})

describe('[E3] elastic gangs', () => {
  const elastic = (min: number, max: number) => aRequest(`${max} nodes`, { elastic: { min, max } })

  it('start as large as they fit', () => {
    const request = elastic(1, 4)
    const machine = aMachine('a xx .. .. ..', { queued: [aGang('g', '4 nodes', { request })] })
    expect(drawn(machine, planPass(machine, now))).toBe('a xx gg gg gg')
  })

  it('are started again smaller rather than thrown out', () => {
    const machine = aMachine('a xx xx xx', {
      queued: [aGang('g', '1 node', { priority: 2 })],
      live: { x: { request: elastic(1, 3), checkpointAt: now } },
    })
    const plan = planPass(machine, now)
    expect(ended(plan)).toEqual(['x.1'])
    apply(machine, plan, now)
    endAttempt(machine, 'x.1', now)
    expect(drawn(machine, planPass(machine, now))).toMatch(/^a (gg xx xx|xx xx gg|xx gg xx)$/)
  })

  it('give up what is above their minimum before anybody has to go', () => {
    const machine = aMachine('a xx xx yy yy', {
      queued: [aGang('g', '2 nodes', { priority: 2 })],
      live: {
        x: { request: elastic(1, 2), checkpointAt: now },
        y: { request: elastic(1, 2), checkpointAt: now },
      },
    })
    const plan = planPass(machine, now)
    expect(plan.evictions).toMatchObject([
      { attempt: 'x.1', for: 'g', resize: { from: 2, to: 1 } },
      { attempt: 'y.1', for: 'g', resize: { from: 2, to: 1 } },
    ])
    apply(machine, plan, now)
    for (const attempt of ['x.1', 'y.1']) endAttempt(machine, attempt, now)
    const next = planPass(machine, now)
    expect(next.starts.map(({ workload, allocation }) => [workload, allocation.parts.length])).toEqual([
      ['g', 2],
      ['x', 1],
      ['y', 1],
    ])
  })

  it('keep their size where the others are enough', () => {
    const machine = aMachine('a xx xx yy yy', {
      queued: [aGang('g', '1 node', { priority: 2 })],
      live: {
        x: { request: elastic(1, 2), checkpointAt: now - HOUR_MS },
        y: { request: elastic(1, 2), checkpointAt: now },
      },
    })
    expect(planPass(machine, now).evictions).toMatchObject([{ attempt: 'y.1', resize: { from: 2, to: 1 } }])
  })

  it('go whole where their minimum leaves too little', () => {
    const machine = aMachine('a xx xx', {
      queued: [aGang('g', '2 nodes', { priority: 2 })],
      live: { x: { request: elastic(1, 2), checkpointAt: now } },
    })
    const [eviction] = planPass(machine, now).evictions
    expect(eviction).toMatchObject({ attempt: 'x.1', for: 'g' })
    expect(eviction!.resize).toBeUndefined()
  })

  const small = { request: elastic(1, 3), checkpointAt: now, limitMs: 20 * HOUR_MS }

  it('grow when nobody lacks room and more is gained than lost', () => {
    const machine = aMachine('a xx .. ..', { live: { x: small } })
    const plan = planPass(machine, now)
    expect(plan.evictions).toMatchObject([{ attempt: 'x.1', for: 'x', resize: { from: 1, to: 3 } }])
    expect(plan.holds[0]!.allocation.parts).toHaveLength(3)
    const lossy = aMachine('a xx .. ..', {
      live: { x: { ...small, checkpointAt: 0, limitMs: now + HOUR_MS } },
    })
    expect(planPass(lossy, now).evictions).toEqual([])
  })

  it('do not grow before they have run for a while, and are looked at again then', () => {
    const machine = aMachine('a xx .. ..', { live: { x: { ...small, startedAt: now - MINUTE_MS } } })
    const plan = planPass(machine, now)
    expect(plan.evictions).toEqual([])
    const mayGrowAt = now - MINUTE_MS + machine.policy.growAfterMs
    expect(plan.nextPassAt).toBe(mayGrowAt)
    expect(planPass(machine, mayGrowAt).evictions).toHaveLength(1)
  })

  it('[Q1] do not grow over a limit, nor where somebody waits for room', () => {
    const limited = { queues: [aQueue('q', { limitGpus: 4 })], live: { x: small } }
    expect(planPass(aMachine('a xx .. ..', limited), now).evictions).toMatchObject([{ resize: { to: 2 } }])
    const waiting = (size: string, queue: string) =>
      planPass(
        aMachine('a xx .. ..', {
          queues: [aQueue('full', { limitGpus: 0 })],
          live: { x: small },
          queued: [aGang('g', size, { queue: id(queue), limitMs: HOUR_MS })],
        }),
        now,
      ).evictions
    expect(waiting('3 nodes', 'other')).toEqual([])
    expect(waiting('1 node', 'full')).toHaveLength(1)
  })
})

describe('[E4] a draining node', () => {
  it('is left by what can start again elsewhere', () => {
    const machine = aMachine('a ~xx ..', { live: { x: {} } })
    const plan = planPass(machine, now)
    expect(plan.evictions).toMatchObject([{ attempt: 'x.1', for: 'x', kind: 'consolidate' }])
    apply(machine, plan, now)
    endAttempt(machine, 'x.1', now)
    expect(drawn(machine, planPass(machine, now))).toBe('a .. xx')
  })

  it('keeps what has no other place', () => {
    const machine = aMachine('a ~xx yy', { live: { y: { preemptible: false } } })
    expect(planPass(machine, now).evictions).toEqual([])
  })
})

describe('[E5] an order with preemption', () => {
  const policy = { preemptByOrdering: true, minimumRunMs: 0, runTimes: 'declared' } as const

  it('ends what has longer to go for what has shorter', () => {
    const machine = aMachine('a xx yy', {
      policy: { ...policy, ordering: 'shortest' },
      queued: [aGang('g', '1 node', { expectedMs: HOUR_MS, submittedAt: now })],
      live: {
        x: { startedAt: now - HOUR_MS, expectedMs: 10 * HOUR_MS },
        y: { startedAt: now - HOUR_MS, expectedMs: 3 * HOUR_MS },
      },
    })
    expect(ended(planPass(machine, now))).toEqual(['x.1'])
  })

  const scattered = (x: { preemptible?: boolean }, consolidate = true) =>
    aMachine('a xy zw', {
      policy: { ...policy, ordering: 'shortest', consolidate },
      queued: [aGang('g', '1 node', { expectedMs: 2 * HOUR_MS, submittedAt: now })],
      live: {
        x: { startedAt: now - HOUR_MS, expectedMs: 2 * HOUR_MS, ...x },
        y: { startedAt: now - HOUR_MS, expectedMs: 9 * HOUR_MS },
        z: { startedAt: now - 2 * HOUR_MS, expectedMs: 3 * HOUR_MS, preemptible: false },
        w: { startedAt: now - HOUR_MS, expectedMs: 8 * HOUR_MS },
      },
    })

  it('moves what is before it and stands between those that are behind it', () => {
    const machine = scattered({})
    const plan = planPass(machine, now)
    expect(plan.evictions).toMatchObject([
      { attempt: 'x.1', for: 'g' },
      { attempt: 'w.1', for: 'x' },
      { attempt: 'y.1', for: 'g' },
    ])
    apply(machine, plan, now)
    for (const attempt of ended(plan)) endAttempt(machine, attempt, now + MINUTE_MS)
    expect(drawn(machine, planPass(machine, now + MINUTE_MS))).toBe('a gg zx')
  })

  it('ends nobody where what stands between may not move, or nothing is to be moved', () => {
    expect(ended(planPass(scattered({ preemptible: false }), now))).toEqual([])
    expect(ended(planPass(scattered({}, false), now))).toEqual([])
  })

  it('swaps nobody on the same level of attained service', () => {
    const levels = { ...policy, ordering: 'least-attained-service', serviceLevels: [4] } as const
    const machine = (startedAt: number) =>
      aMachine('a xx', {
        policy: levels,
        queued: [aGang('g', '1 node', { submittedAt: now })],
        live: { x: { startedAt } },
      })
    expect(ended(planPass(machine(now - HOUR_MS), now))).toEqual([])
    expect(ended(planPass(machine(now - 3 * HOUR_MS), now))).toEqual(['x.1'])
  })
})

describe('[Q4] guarantees in whole domains', () => {
  const queues = [aQueue('owner', { guaranteedDomains: { level: 'block', count: 1 } }), aQueue('other')]
  const block = aRequest('2 nodes', { within: { level: 'block', mode: 'required' } })

  it('stay possible: work that cannot be ended again keeps out of as many blocks as are guaranteed', () => {
    const fixed = { queue: id<never>('other'), preemptible: false }
    const machine = aMachine(
      `a .. ..
       b .. ..`,
      {
        queues,
        queued: [aGang('1', '1 node', fixed), aGang('2', '1 node', fixed), aGang('3', '1 node', fixed)],
      },
    )
    const plan = planPass(machine, now)
    const used = new Set(
      plan.starts.flatMap(({ allocation }) => allocation.parts.map(({ node }) => node.split('.')[0])),
    )
    expect(plan.starts).toHaveLength(2)
    expect(used.size).toBe(1)
  })

  it('move to another domain rather than that anything is ended', () => {
    const machine = aMachine(
      `a xx ..
       b .. ..`,
      {
        queues,
        live: { x: { queue: id('other') } },
        queued: [aGang('g', '2 nodes', { queue: id('owner'), request: block })],
      },
    )
    const plan = planPass(machine, now)
    expect(plan.evictions).toEqual([])
    expect(drawn(machine, plan)).toBe(
      picture(`a xx ..
               b gg gg`),
    )
  })

  it('are taken back from borrowers, in the cheapest domain', () => {
    const machine = aMachine(
      `a xx ..
       b yy ww`,
      {
        queues,
        policy: { consolidate: false },
        live: {
          x: { queue: id('other'), checkpointAt: now - MINUTE_MS },
          y: { queue: id('other'), checkpointAt: now - HOUR_MS },
          w: { queue: id('other'), checkpointAt: now - HOUR_MS },
        },
        queued: [aGang('g', '2 nodes', { queue: id('owner'), request: block })],
      },
    )
    expect(ended(planPass(machine, now))).toEqual(['x.1'])
  })
})

describe('[E7] what is guaranteed', () => {
  const queues = [aQueue('lender', { guaranteedGpus: 2 }), aQueue('borrower')]
  const lender = { queue: id<never>('lender') }
  const borrower = { queue: id<never>('borrower') }

  it('is not overtaken by those who borrow: it would be reclaimed again without end', () => {
    const policy = { preemptByOrdering: true, minimumRunMs: 0, ordering: 'fifo' } as const
    const machine = (guaranteedGpus: number) =>
      aMachine('a xx', {
        policy,
        queues: [aQueue('lender', { guaranteedGpus }), aQueue('borrower')],
        queued: [aGang('g', '1 node', { ...borrower, submittedAt: 0 })],
        live: { x: { ...lender, submittedAt: 1 } },
      })
    expect(ended(planPass(machine(2), now))).toEqual([])
    expect(ended(planPass(machine(0), now))).toEqual(['x.1'])
  })

  it('[S8] goes before a higher priority that would borrow it, once it is owed', () => {
    const machine = (submittedAt: number) =>
      aMachine('a ..', {
        queues,
        queued: [
          aGang('1', '1 node', { ...borrower, priority: 3 }),
          aGang('2', '1 node', { ...lender, submittedAt }),
        ],
      })
    expect(drawn(machine(0), planPass(machine(0), now))).toBe('a 22')
    expect(drawn(machine(now), planPass(machine(now), now))).toBe('a 11')
  })

  it('[S8] comes back however many of its neighbours stand before it (chaos seed 1410)', () => {
    const neighbours = Array.from({ length: 100 }, (_, i) => aGang(`b${i}`, '1 gpu', { queue: id('org/b') }))
    const machine = aMachine('a x y', {
      policy: { ordering: 'fifo' },
      queues: [
        aQueue('org', { guaranteedGpus: 2 }),
        aQueue('org/a', { parent: id('org'), guaranteedGpus: 2 }),
        aQueue('org/b', { parent: id('org') }),
      ],
      queued: [...neighbours, aGang('g', '1 gpu', { queue: id('org/a'), submittedAt: 1 })],
      live: { x: { queue: id('org/b') }, y: { queue: id('org/b') } },
    })
    const plan = planPass(machine, now)
    expect(plan.holds.map(({ workload }) => workload)).toEqual(['g'])
    expect(ended(plan)).toHaveLength(1)
  })

  it('[S8] of a parent is taken back from outside of it only', () => {
    const machine = aMachine('a xx yy', {
      policy: { consolidate: false },
      queues: [
        aQueue('org', { guaranteedGpus: 4 }),
        aQueue('org/a', { parent: id('org') }),
        aQueue('org/b', { parent: id('org') }),
        aQueue('other'),
      ],
      queued: [aGang('g', '1 node', { queue: id('org/a') })],
      live: {
        x: { queue: id('org/b'), checkpointAt: now },
        y: { queue: id('other'), checkpointAt: now - HOUR_MS },
      },
    })
    expect(ended(planPass(machine, now))).toEqual(['y.1'])
  })
})

describe('[P8] a node that failed the gang', () => {
  const avoid = [{ node: id<never>('a.1'), until: now + HOUR_MS }]

  it('is not made free for it', () => {
    const machine = aMachine('a xx yy', {
      queued: [aGang('g', '1 node', { priority: 2, avoid })],
      live: { x: { checkpointAt: now }, y: { checkpointAt: now - HOUR_MS } },
    })
    expect(ended(planPass(machine, now))).toEqual(['y.1'])
  })

  it('[S7] is given up where it is held for it', () => {
    const machine = aMachine('a xx ..', {
      policy: { consolidate: false },
      queued: [aGang('g', '1 node', { avoid })],
      live: { x: { preemptible: false } },
    })
    const allocation = { parts: [{ node: id<never>('a.1'), gpus: [0, 1] }] }
    machine.placeHold({
      id: id('hold'),
      workload: id('g'),
      replica: 0,
      allocation,
      waitsFor: [id('x.1')],
    })
    const plan = planPass(machine, now)
    expect(plan.holds).toEqual([])
    expect(drawn(machine, plan)).toBe('a xx gg')
  })
})

describe('[S2] a hold on a GPU that several share', () => {
  it('keeps only what its victims will not give', () => {
    const share = (milliGpus: number) => ({ shape: { kind: 'fraction', milliGpus } }) as const
    const machine = aMachine('a .')
    const start = (name: string, milliGpus: number) =>
      machine.start(aGang(name, '1 gpu', { request: share(milliGpus) }), {
        attempt: id(`${name}.1`),
        allocation: { parts: [{ node: id('a.1'), gpus: [0], milliGpus }] },
        startedAt: 0,
        stopping: false,
      })
    start('victim', 500)
    machine.enqueue(aGang('g', '1 gpu', { request: share(500) }))
    machine.placeHold({
      id: id('hold'),
      workload: id('g'),
      replica: 0,
      allocation: { parts: [{ node: id('a.1'), gpus: [0], milliGpus: 500 }] },
      waitsFor: [id('victim.1')],
    })
    expect(machine.fleet.capacity.milliFree[0]).toBe(500)
    start('other', 500)
    machine.end(id('victim.1'), 1)
    expect(machine.fleet.capacity.milliFree[0]).toBe(0)
    expect(planPass(machine, 1).starts.map(({ workload }) => workload)).toEqual(['g'])
  })
})

describe('victims on shared GPUs', () => {
  it('[E2] free a whole GPU of which they hold only a part', () => {
    const machine = aMachine('a .', { queued: [aGang('g', '1 gpu', { priority: 2 })] })
    machine.start(aGang('x', '1 gpu', { request: { shape: { kind: 'fraction', milliGpus: 200 } } }), {
      attempt: id('x.1'),
      allocation: { parts: [{ node: id('a.1'), gpus: [0], milliGpus: 200 }] },
      startedAt: 0,
      stopping: false,
    })
    expect(ended(planPass(machine, now))).toEqual(['x.1'])
  })
})

describe('[Q4] domains that are guaranteed to others', () => {
  it('are not made free for work that could not be ended again for them', () => {
    const machine = aMachine(
      `a xx xx
       b yy yy
       c .. zz
       d .. ww`,
      {
        policy: { consolidate: false },
        queues: [aQueue('owner', { guaranteedDomains: { level: 'block', count: 1 } }), aQueue('other')],
        live: {
          x: { queue: id('other'), checkpointAt: now },
          y: { queue: id('other'), checkpointAt: now - HOUR_MS },
          z: { queue: id('other'), preemptible: false },
          w: { queue: id('other'), preemptible: false },
        },
        queued: [
          aGang('g', '2 nodes', {
            queue: id('other'),
            priority: 2,
            preemptible: false,
            request: aRequest('2 nodes', { within: { level: 'block', mode: 'required' } }),
          }),
        ],
      },
    )
    // Block a, where least would be lost, stands for the owner's guarantee.
    const plan = planPass(machine, now)
    const blocks = plan.holds.flatMap(({ allocation }) =>
      allocation.parts.map(({ node }) => node.split('.')[0]),
    )
    expect(new Set(blocks)).toEqual(new Set(['b']))
  })
})
