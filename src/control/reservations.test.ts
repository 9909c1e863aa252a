import { describe, expect, it } from 'vitest'
import type { NodeId, ReservationId } from '../base/index.ts'
import { HOUR_MS, id } from '../base/index.ts'
import { aNode, aTraining, ControlInMemory, RESEARCH } from './builders.ts'
import type { NewReservation } from './command.ts'
import { nextDeadline } from './decide/tick.ts'
import { serialiseState } from './records.ts'
import { needsPass } from './scheduling-triggers.ts'

const NAME = id<ReservationId>('optics')

function aReservation(control: ControlInMemory, more: Partial<NewReservation> = {}): NewReservation {
  return {
    id: NAME,
    kind: 'maintenance',
    from: control.now + HOUR_MS,
    to: control.now + 2 * HOUR_MS,
    wish: { kind: 'nodes', nodes: [id<NodeId>('n1')] },
    reason: 'new optics',
    ...more,
  }
}

const forTeam = { kind: 'reserved', owners: { queues: [id<never>(RESEARCH)] } } as const
const bounded = { limitMs: 90 * 60_000 }

describe('reservations', () => {
  it('[C17] keep work out of their nodes from the event on, and let it in when they are over or cancelled', () => {
    for (const how of ['over', 'cancelled'] as const) {
      const control = new ControlInMemory()
      control.do({ kind: 'reserve', reservation: aReservation(control) })
      expect(control.log.at(-1)).toMatchObject({
        actor: { kind: 'user' },
        cause: 'reserve',
        event: { kind: 'reservation-made', reservation: { id: NAME, nodes: ['n1'] } },
      })
      expect(needsPass(control.log.slice(-1))).toBe(true)
      control.submit(aTraining(bounded))
      expect(control.pass()).toEqual([])
      expect(nextDeadline(control.state)).toBe(control.now + 2 * HOUR_MS)
      if (how === 'over') {
        control.now += 2 * HOUR_MS
        control.do({ kind: 'tick' })
      } else {
        control.do({ kind: 'cancel-reservation', reservation: NAME })
      }
      expect(control.log.at(-1)!.event).toMatchObject({ kind: 'reservation-ended', how })
      expect(needsPass(control.log.slice(-1))).toBe(true)
      expect(control.state.reservations.size).toBe(0)
      expect(control.pass()).toHaveLength(1)
    }
  })

  it('[C17] choose a count of nodes when they are made, and those stay', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2'), aNode('n3')])
    control.submit(aTraining({ resources: { shape: { kind: 'nodes', nodes: 1 } }, limitMs: 9 * HOUR_MS }))
    control.pass()
    control.do({
      kind: 'reserve',
      reservation: aReservation(control, { ...forTeam, wish: { kind: 'count', count: 2 } }),
    })
    expect(control.state.reservations.get(NAME)!.nodes).toEqual(['n2', 'n3'])
  })

  it('[S6] come back from the rows and from the events, and bind as before', () => {
    const control = new ControlInMemory()
    control.do({ kind: 'reserve', reservation: aReservation(control) })
    control.submit(aTraining(bounded))
    const before = serialiseState(control.state)
    expect(before).toContain('new optics')
    expect(control.replayed()).toBe(before)
    control.restart()
    expect(serialiseState(control.state)).toBe(before)
    expect(control.pass()).toEqual([])
    control.do({ kind: 'cancel-reservation', reservation: NAME })
    expect(serialiseState(control.restored())).not.toContain('new optics')
  })

  it('[C18] are refused when they say nothing that could be kept', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2')])
    const made = aReservation(control, { ...forTeam, id: id('first') })
    control.do({ kind: 'reserve', reservation: made })
    const refused: [Partial<NewReservation>, string, string][] = [
      [{ id: id('First') }, 'invalid-name', 'cannot name a reservation'],
      [{ id: id('first') }, 'already-exists', 'Cancel it first'],
      [{ to: 1 }, 'invalid-reservation', 'have ended'],
      [{ to: made.from }, 'invalid-reservation', 'before it begins'],
      [{ owners: forTeam.owners }, 'invalid-reservation', 'during maintenance'],
      [{ kind: 'reserved' }, 'invalid-reservation', 'for whom'],
      [{ kind: 'reserved', owners: { queues: [id('nobody')] } }, 'no-such-queue', '"nobody"'],
      [{ kind: 'reserved', owners: { users: [id('nobody')] } }, 'no-such-user', '"nobody"'],
      [{ wish: { kind: 'nodes', nodes: [id('n9')] } }, 'no-such-node', '"n9"'],
      [{ wish: { kind: 'nodes', nodes: [] } }, 'invalid-reservation', 'at least one'],
      [{ wish: { kind: 'domain', domain: ['there'] } }, 'invalid-reservation', 'Domains: here'],
      [{ wish: { kind: 'count', count: 2 } }, 'invalid-reservation', 'no 2 ready nodes'],
      [{ ...forTeam }, 'invalid-reservation', 'n1 is reserved as "first"'],
    ]
    for (const [more, code, message] of refused) {
      const reservation = aReservation(control, more)
      expect(control.rejection({ kind: 'reserve', reservation })).toMatchObject({
        code,
        message: expect.stringContaining(message),
      })
    }
    expect(control.rejection({ kind: 'cancel-reservation', reservation: id('none') })).toMatchObject({
      code: 'no-such-reservation',
    })
  })

  it('[C18] are not refused where they are maintenance, which goes before what is reserved', () => {
    const control = new ControlInMemory()
    control.do({ kind: 'reserve', reservation: aReservation(control, { ...forTeam, id: id('first') }) })
    control.do({ kind: 'reserve', reservation: aReservation(control) })
    expect([...control.state.reservations.keys()]).toEqual(['first', NAME])
  })
})
