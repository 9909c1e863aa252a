import { describe, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, id, type NodeId } from '../base/index.ts'
import type { Reservation } from '../model/index.ts'
import { explain } from './explain.ts'
import { forecast } from './forecast.ts'
import { planPass } from './pass.ts'
import { aGang, aMachine, apply, aQueue, drawn, endAttempt } from './picture.ts'
import type { Plan } from './plan.ts'
import { chooseNodes, othersWorkIn } from './reserve.ts'
import { whatIf } from './what-if.ts'

const now = 100 * DAY_MS
const started = (plan: Plan) => plan.starts.map(({ workload }) => workload)
const nodes = (...names: string[]) => names.map((name) => id<NodeId>(name))

function aWindow(name: string, more: Partial<Reservation>): Reservation {
  return {
    id: id(name),
    kind: more.owners ? 'reserved' : 'maintenance',
    from: now,
    to: now + 4 * HOUR_MS,
    nodes: nodes('a.1'),
    reason: 'new optics',
    ...more,
  }
}

const OWNER = { users: [id<never>('owner')] }
const byOwner = { user: id<never>('owner') }

describe('[C1] a calendar window', () => {
  it('keeps work whose limit reaches into it from starting, however far off it is', () => {
    const gangs = [aGang('g', '1 node', { limitMs: 20 * DAY_MS }), aGang('h', '1 node', { limitMs: HOUR_MS })]
    const machine = aMachine('a ..', { queued: gangs })
    machine.setReservation(aWindow('m', { from: now + 10 * DAY_MS, to: now + 11 * DAY_MS }))
    expect(started(planPass(machine, now))).toEqual(['h'])
  })

  it('binds work without a limit for a week ahead', () => {
    const machine = aMachine('a ..', { queued: [aGang('g', '1 node')] })
    machine.setReservation(aWindow('m', { from: now + 8 * DAY_MS, to: now + 9 * DAY_MS }))
    expect(started(planPass(machine, now))).toEqual(['g'])
    expect(started(planPass(machine, now + 2 * DAY_MS))).toEqual([])
  })

  it('is looked forward to by forecasts, and its end is when the gang starts', () => {
    const machine = aMachine('a ..', { queued: [aGang('g', '1 node', { limitMs: 2 * HOUR_MS })] })
    const window = aWindow('m', { from: now + HOUR_MS })
    machine.setReservation(window)
    expect(forecast(machine, now, { replications: 4, seed: 1 })[0]!.p50).toBeGreaterThanOrEqual(window.to)
  })

  it('can be tried, and called off, without being made', () => {
    const machine = aMachine('a ..', { queued: [aGang('g', '1 node', { limitMs: 2 * HOUR_MS })] })
    const options = { replications: 4, seed: 1 }
    const made = whatIf(machine, now, [{ kind: 'set-reservation', reservation: aWindow('m', {}) }], options)
    expect(made.changes).toMatchObject([{ workload: 'g', before: { p50: now } }])
    expect(made.later).toBe(1)
    expect(machine.reservations.size).toBe(0)
    machine.setReservation(aWindow('m', {}))
    const off = whatIf(machine, now, [{ kind: 'remove-reservation', reservation: id('m') }], options)
    expect(off.changes).toMatchObject([{ workload: 'g', after: { p50: now } }])
    expect(machine.reservations.size).toBe(1)
  })

  it('is explained by what it is called, when it ends, and what would come of calling it off', () => {
    const machine = aMachine('a .. ..', { queued: [aGang('g', '2 nodes', { limitMs: 2 * HOUR_MS })] })
    machine.setReservation(aWindow('optics', { from: now + HOUR_MS }))
    const { blockers, counterfactuals } = explain(machine, now, id('g'), 0)
    expect(blockers).toMatchObject([
      {
        kind: 'reservation',
        message:
          'There is room now, but it is kept for maintenance optics (new optics), due in 1h, and this gang would not surely have ended by then.',
        windows: [{ id: 'optics', to: now + 4 * HOUR_MS }],
        earliestEndAt: now + 4 * HOUR_MS,
      },
    ])
    expect(counterfactuals).toContainEqual({
      change: { kind: 'without-reservation', reservation: 'optics' },
      message: 'Without the maintenance window optics it starts now.',
      startsNow: true,
    })
  })

  it('[X3] is not named to others where it is kept for somebody', () => {
    const machine = aMachine('a ..', { queued: [aGang('g', '1 node')] })
    machine.setReservation(aWindow('secret', { owners: OWNER, reason: 'launch of secret' }))
    const [blocker] = explain(machine, now, id('g'), 0).blockers
    expect(blocker!.message).toBe('There is room now, but it is kept for a reservation, open for another 4h.')
    expect(blocker!.windows).toMatchObject([{ id: 'secret' }])
  })

  it('says nothing of windows that are not in the way', () => {
    const machine = aMachine('a x. ..', { queued: [aGang('g', '2 nodes')] })
    machine.setReservation(aWindow('m', { nodes: nodes('a.2') }))
    const kinds = explain(machine, now, id('g'), 0).blockers.map(({ kind }) => kind)
    expect(kinds).not.toContain('reservation')
  })
})

describe('[C2] several windows on a node', () => {
  const reserved = aWindow('r', { owners: OWNER })
  const later = aWindow('m', { from: now + 2 * HOUR_MS, to: now + 3 * HOUR_MS })

  it('keep owners from starting what would reach into maintenance, and let the rest start', () => {
    const gangs = [
      aGang('1', '1 node', { ...byOwner, limitMs: 3 * HOUR_MS }),
      aGang('2', '1 node', { ...byOwner, limitMs: HOUR_MS }),
      aGang('3', '1 node', { limitMs: HOUR_MS }),
    ]
    for (const windows of [
      [reserved, later],
      [later, reserved],
    ]) {
      const machine = aMachine('a ..', { queued: gangs })
      for (const window of windows) machine.setReservation(window)
      expect(started(planPass(machine, now))).toEqual(['2'])
    }
  })

  it('are maintenance first where they open together', () => {
    const machine = aMachine('a ..', { queued: [aGang('g', '1 node', byOwner)] })
    machine.setReservation(reserved)
    machine.setReservation(aWindow('z', {}))
    expect(started(planPass(machine, now))).toEqual([])
  })
})

describe('[C3] a window lets nobody in', () => {
  it('on the rest of a GPU that is shared', () => {
    const machine = aMachine('a .', { queued: [aGang('s', '0.25 gpu')] })
    apply(machine, planPass(machine, now), now)
    machine.enqueue(aGang('g', '0.5 gpu'))
    expect(started(planPass(machine, now))).toEqual(['g'])
    machine.setReservation(aWindow('m', {}))
    expect(started(planPass(machine, now))).toEqual([])
    expect(explain(machine, now, id('g'), 0).blockers[0]!.kind).toBe('reservation')
  })

  it('where eviction would make room', () => {
    const machine = aMachine('a xx', {
      live: { x: { priority: 0 } },
      queued: [aGang('g', '1 node', { priority: 3 })],
    })
    expect(planPass(machine, now).evictions).toHaveLength(1)
    machine.setReservation(aWindow('m', {}))
    expect(planPass(machine, now).evictions).toEqual([])
  })

  it('by moving others into it', () => {
    const machine = aMachine(
      `a x. ..
       b y. ..`,
      {
        live: { x: { checkpointAt: now }, y: { checkpointAt: now } },
        queued: [
          aGang('g', '4 gpus', {
            request: { shape: { kind: 'nodes', nodes: 2 }, within: { level: 'block', mode: 'required' } },
          }),
        ],
      },
    )
    expect(planPass(machine, now).evictions).toHaveLength(1)
    machine.setReservation(aWindow('m', { nodes: { domain: ['b'] } }))
    expect(planPass(machine, now).evictions).toEqual([])
  })

  it('by a hold that was placed before it was made', () => {
    const machine = aMachine('a xx', {
      live: { x: { priority: 0 } },
      queued: [aGang('g', '1 node', { priority: 3 })],
    })
    apply(machine, planPass(machine, now), now)
    machine.setReservation(aWindow('m', {}))
    endAttempt(machine, 'x.1', now)
    const plan = planPass(machine, now)
    expect(plan.starts).toEqual([])
    expect(plan.holds).toEqual([])
  })

  it('but its owners, of the queue or below it', () => {
    const machine = aMachine('a .. ..', {
      queues: [aQueue('org'), aQueue('org/team', { parent: id('org') })],
      queued: [aGang('o', '2 nodes', { queue: id('org/team') }), aGang('z', '1 node', { submittedAt: 1 })],
    })
    machine.setReservation(aWindow('r', { owners: { queues: [id('org')] } }))
    expect(drawn(machine, planPass(machine, now))).toBe('a oo oo')
  })
})

describe('[C4] a count of nodes', () => {
  const wish = (count: number, more: object = {}) => ({
    count,
    from: now + HOUR_MS,
    to: now + 2 * HOUR_MS,
    ...more,
  })

  it('goes where the nodes are free when it opens, in the smallest domain that it fills best', () => {
    const machine = aMachine(
      `a .. .. ..
       b .. .. xx
       c yy .. ..`,
      { live: { x: { startedAt: now, limitMs: DAY_MS }, y: { startedAt: now, limitMs: HOUR_MS } } },
    )
    expect(chooseNodes(machine, wish(2))).toEqual(['b.1', 'b.2'])
    expect(chooseNodes(machine, wish(3))).toEqual(['a.1', 'a.2', 'a.3'])
    expect(chooseNodes(machine, wish(1, { domain: ['c'] }))).toEqual(['c.1'])
    expect(chooseNodes(machine, wish(8))).toEqual(['a.1', 'a.2', 'a.3', 'b.1', 'b.2', 'c.1', 'c.2', 'c.3'])
  })

  it('takes busy nodes only where there are too few others, and says who is there', () => {
    const machine = aMachine('a xx yy ..', {
      live: { x: { startedAt: now, limitMs: 3 * HOUR_MS }, y: { startedAt: now, limitMs: 9 * HOUR_MS } },
    })
    expect(chooseNodes(machine, wish(2))).toEqual(['a.1', 'a.3'])
    const window = aWindow('r', { ...wish(2), nodes: nodes('a.1', 'a.3') })
    expect(othersWorkIn(machine, window, now)).toEqual([
      { workload: 'x', attempt: 'x.1', nodes: ['a.1'], endsAt: now + 3 * HOUR_MS },
    ])
  })

  it('leaves out nodes that are not ready or that others have reserved, and is refused rather than cut', () => {
    const machine = aMachine('a .. !.. ..')
    const later = { from: now + HOUR_MS, to: now + 2 * HOUR_MS }
    machine.setReservation(aWindow('r', { ...later, owners: OWNER, nodes: nodes('a.3') }))
    expect(chooseNodes(machine, wish(1))).toEqual(['a.1'])
    expect(chooseNodes(machine, wish(2))).toBeUndefined()
  })
})
