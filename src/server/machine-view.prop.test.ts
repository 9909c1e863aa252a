import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { MachineView } from '../api/index.ts'
import { id, type OrganisationId, type UserId } from '../base/index.ts'
import { ACME, aNode, aTraining, ControlInMemory } from '../control/builders.ts'
import type { Role, User } from '../model/index.ts'
import { MachineChanges, machineView, ranges } from './machine-view.ts'

const user = (organisation: string, role: Role): User => ({
  id: id<UserId>('reader'),
  organisation: id<OrganisationId>(organisation),
  teams: [],
  role,
})
const READERS = [user(ACME, 'viewer'), user('zenith', 'admin'), user('default', 'operator')]

const step = fc.oneof(
  fc.record({ do: fc.constant('submit' as const), gpus: fc.constantFrom(0.5, 1, 3, 8, 16) }),
  fc.record({ do: fc.constant('pass' as const) }),
  fc.record({ do: fc.constant('runs' as const), which: fc.nat() }),
  fc.record({ do: fc.constant('ends' as const), which: fc.nat() }),
  fc.record({ do: fc.constant('stop' as const), which: fc.nat() }),
  fc.record({ do: fc.constant('down' as const), node: fc.nat(2) }),
  fc.record({ do: fc.constant('up' as const), node: fc.nat(2) }),
  fc.record({ do: fc.constant('contact' as const), lost: fc.boolean() }),
  fc.record({ do: fc.constant('grow' as const) }),
  fc.record({ do: fc.constant('look' as const) }),
)

it('[S9] changes put together give the machine as it is, and never name what the reader may not see', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
      const nodes = ['n1', 'n2', 'n3'].map((name) => aNode(name))
      const control = new ControlInMemory(nodes)
      let seen = control.log.length
      const readers = READERS.map((reader) => ({
        reader,
        changes: new MachineChanges(reader),
        has: undefined as MachineView | undefined,
      }))
      const look = () => {
        const events = control.log.slice(seen)
        seen = control.log.length
        for (const each of readers) {
          if (events.length > 0) each.changes.see(events)
          if (each.changes.isPending) {
            const told = each.changes.take(control.state, control.now)
            if (each.reader.organisation === 'zenith')
              expect(JSON.stringify(told)).not.toMatch(/w\d|ada|training/)
            each.has = told.type === 'machine' ? told.data : apply(each.has!, told.data)
          }
          expect(comparable(each.has!)).toEqual(
            comparable(machineView(control.state, each.reader, control.now)),
          )
        }
      }
      look()
      for (const action of steps) {
        control.now += 1000
        const attempts = [...control.state.attempts.keys()]
        const attempt = 'which' in action ? attempts[action.which % attempts.length] : undefined
        switch (action.do) {
          case 'submit': {
            const shape =
              action.gpus < 1
                ? { kind: 'fraction' as const, milliGpus: action.gpus * 1000 }
                : { kind: 'gpus' as const, gpus: action.gpus }
            control.submit(aTraining({ resources: { shape } }))
            break
          }
          case 'pass':
            control.pass()
            break
          case 'runs':
            if (attempt) control.observe({ kind: 'attempt-running', attempt, at: control.now })
            break
          case 'ends':
            if (attempt) control.ended(attempt, {})
            break
          case 'stop': {
            const workload = attempt && control.state.attempts.get(attempt)?.workload
            if (workload && control.workload(workload).state !== 'stopping')
              control.do({ kind: 'stop', workload, kill: false })
            break
          }
          case 'down':
            control.observe({
              kind: 'node-down',
              node: nodes[action.node]!.id,
              reason: 'test',
              at: control.now,
            })
            break
          case 'up':
            control.observe({ kind: 'node-up', node: nodes[action.node]!.id, at: control.now })
            break
          case 'contact':
            control.do({ kind: 'contact', contact: action.lost ? 'lost' : 'connected' })
            break
          case 'grow':
            nodes.push(aNode(`n${nodes.length + 1}`, { domains: [`hall-${nodes.length}`] }))
            control.do({ kind: 'inventory', inventory: { levels: ['site', 'node'], nodes } })
            break
          case 'look':
            look()
        }
      }
      look()
    }),
    { numRuns: 60 },
  )
})

it('GPUs are told as ranges', () => {
  expect(ranges([])).toBe('')
  expect(ranges([0, 1, 2, 3, 6])).toBe('0-3,6')
  expect(ranges([5])).toBe('5')
})

function apply(machine: MachineView, change: ReturnType<MachineChanges['take']>['data']): MachineView {
  if (!('ended' in change)) throw new Error('not a change')
  const rows = new Map(change.nodes.map((row) => [row.id, row]))
  const attempts = new Map(machine.attempts.map((attempt) => [attempt.id, attempt]))
  for (const attempt of change.attempts) attempts.set(attempt.id, attempt)
  for (const ended of change.ended) expect(attempts.delete(ended)).toBe(true)
  return {
    ...machine,
    revision: change.revision,
    nodes: machine.nodes.map((row) => rows.get(row.id) ?? row),
    attempts: [...attempts.values()],
  }
}

/** Without the time and revision, which move on where nothing in the view does. */
function comparable({ at: _at, revision: _revision, nodes, attempts, ...rest }: MachineView) {
  const byId = <Item extends { readonly id: string }>(items: readonly Item[]) =>
    [...items].sort((a, b) => (a.id < b.id ? -1 : 1))
  const held = (row: MachineView['nodes'][number]) => [...row.held].map((each) => JSON.stringify(each)).sort()
  return { ...rest, nodes: nodes.map((row) => ({ ...row, held: held(row) })), attempts: byId(attempts) }
}
