import { describe, expect, it } from 'vitest'
import type { NodeId, ReservationId, WorkloadId } from '../base/index.ts'
import { HOUR_MS, id } from '../base/index.ts'
import type { Spread } from '../model/index.ts'
import { explain } from './explain.ts'
import { forecast } from './forecast.ts'
import type { QueuedGang } from './gang.ts'
import { planPass } from './pass.ts'
import { aGang, aMachine, apply, aRequest, drawn, endAttempt } from './picture.ts'

const now = 10 * HOUR_MS

/** Replicas of one service, `want` each, spread over `level`. */
function replicas(count: number, want: string, spread: Spread, more: Partial<QueuedGang> = {}): QueuedGang[] {
  return Array.from({ length: count }, (_, replica) =>
    aGang('s', want, { replica, request: aRequest(want, { spread }), ...more }),
  )
}

const preferBlocks: Spread = { level: 'block', mode: 'preferred' }
const needBlocks: Spread = { level: 'block', mode: 'required' }

describe('[P10] replicas that are spread', () => {
  it('go to the domains with the fewest of them, and share only when all have some', () => {
    const machine = aMachine(
      `a .. ..
       b .. ..
       c .. ..`,
      { queued: replicas(4, '1 gpu', preferBlocks) },
    )
    expect(drawn(machine, planPass(machine, now))).toBe('a ss ..\nb s. ..\nc s. ..')
  })

  it('would stand together without it', () => {
    const queued = replicas(4, '1 gpu', preferBlocks).map((gang) => ({ ...gang, request: aRequest('1 gpu') }))
    const machine = aMachine('a .. ..\nb .. ..', { queued })
    expect(drawn(machine, planPass(machine, now))).toBe('a ss ss\nb .. ..')
  })

  it('may be spread over nodes', () => {
    const machine = aMachine('a .. .. ..', {
      queued: replicas(3, '1 gpu', { level: 'node', mode: 'required' }),
    })
    expect(drawn(machine, planPass(machine, now))).toBe('a s. s. s.')
  })

  it('count those that run already, and the places that they leave', () => {
    const machine = aMachine(
      `a .. ..
       b .. ..`,
      { queued: replicas(2, '1 node', needBlocks) },
    )
    const [first] = apply(machine, planPass(machine, now), now)
    expect(drawn(machine)).toBe('a ss ..\nb ss ..')
    machine.enqueue({ ...replicas(3, '1 node', needBlocks)[2]! })
    expect(planPass(machine, now).starts).toEqual([])
    endAttempt(machine, first!, now)
    expect(drawn(machine, planPass(machine, now))).toBe('a ss ..\nb ss ..')
  })

  it('count those for which a place is held until others have ended there', () => {
    const machine = aMachine('a x.', { queued: replicas(2, '1 gpu', needBlocks) })
    const hold = { id: id<ReservationId>('h'), workload: id<WorkloadId>('s'), replica: 0 }
    const allocation = { parts: [{ node: id<NodeId>('a.1'), gpus: [0] }] }
    machine.placeHold({ ...hold, allocation, waitsFor: [id('x.1')] })
    expect(planPass(machine, now).starts).toEqual([])
  })

  it('wait where it is required, and are told why and what would help', () => {
    const machine = aMachine(
      `a .. ..
       b xx xx`,
      { queued: replicas(2, '1 node', needBlocks), live: { x: { limitMs: 20 * HOUR_MS } } },
    )
    apply(machine, planPass(machine, now), now)
    expect(drawn(machine)).toBe('a ss ..\nb xx xx')
    const { blockers, counterfactuals } = explain(machine, now, id('s'), 1)
    expect(blockers).toEqual([
      {
        kind: 'shape',
        message:
          'Its replicas must stand in different domains of the level block, and each that has room has one already.',
        holders: [],
      },
    ])
    expect(counterfactuals).toContainEqual({
      change: { kind: 'preferred-spread' },
      message: 'With spread over block preferred instead of required it starts now.',
      startsNow: true,
    })
    expect(forecast(machine, now, { replications: 4, seed: 1 })).toMatchObject([
      { workload: 's', replica: 1 },
    ])
  })

  it('keep nobody else from starting where they may not', () => {
    const other = aGang('o', '1 node', {
      request: aRequest('1 node', { spread: needBlocks }),
      submittedAt: 1,
    })
    const machine = aMachine('a .. ..', { queued: [...replicas(2, '1 node', needBlocks), other] })
    expect(drawn(machine, planPass(machine, now))).toBe('a ss oo')
  })

  it('evict nobody for a place that they may not have', () => {
    const machine = aMachine('a .. xx', {
      live: { x: { priority: 0 } },
      queued: replicas(2, '1 node', needBlocks, { priority: 3 }),
    })
    const plan = planPass(machine, now)
    expect(drawn(machine, plan)).toBe('a ss xx')
    expect(plan.evictions).toEqual([])
  })
})
