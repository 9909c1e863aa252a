import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Agenda, type Ticket } from './agenda.ts'

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('plan' as const), in: fc.nat(5), rank: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resume' as const) }) },
)

it('[T1] everything planned happens once in the order (time, rank, ticket), unless it was cancelled', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let agenda = new Agenda<string>()
      let model: { at: number; rank: number; ticket: Ticket; what: string }[] = []
      const order = () => model.sort((a, b) => a.at - b.at || a.rank - b.rank || a.ticket - b.ticket)
      for (const action of steps) {
        if (action.do === 'plan') {
          const at = agenda.now + action.in
          const what = `${at}/${action.rank}/${model.length}`
          model.push({ at, rank: action.rank, ticket: agenda.plan(at, action.rank, what), what })
        } else if (action.do === 'take') {
          expect(agenda.take()).toEqual(order().shift())
        } else if (action.do === 'cancel' && model.length > 0) {
          const [gone] = model.splice(action.which % model.length, 1)
          agenda.cancel(gone!.ticket)
        } else if (action.do === 'resume') {
          agenda = Agenda.resume(agenda.record())
        }
        expect(agenda.size).toBe(model.length)
        expect(agenda.nextAt()).toBe(order()[0]?.at)
      }
      while (model.length > 0) expect(agenda.take()).toEqual(order().shift())
      model = []
      expect(agenda.take()).toBeUndefined()
    }),
  )
})

it('[T1] thousands of cancelled plans are swept out and the rest keeps its order', () => {
  const agenda = new Agenda<number>()
  const tickets = Array.from({ length: 5000 }, (_, i) => agenda.plan((i * 7919) % 5000, 0, i))
  tickets.forEach((ticket, i) => {
    if (i % 5 !== 0) agenda.cancel(ticket)
  })
  expect(agenda.size).toBe(1000)
  let last = -1
  for (let next = agenda.take(); next; next = agenda.take()) {
    expect(next.what % 5).toBe(0)
    expect(next.at).toBeGreaterThan(last)
    last = next.at
  }
})
