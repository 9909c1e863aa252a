import { describe, expect, it } from 'vitest'
import type { NodeId, ReservationId } from '../base/index.ts'
import { HOUR_MS, id, MINUTE_MS } from '../base/index.ts'
import { aNode, aTraining, ControlInMemory } from './builders.ts'
import { serialiseState } from './records.ts'

const node = (name: string) => id<NodeId>(name)
const rename = (control: ControlInMemory, from: string, to: string) =>
  control.do({ kind: 'rename-node', node: node(from), to: node(to) })
const gang = (gpus: number) => aTraining({ resources: { shape: { kind: 'gpus', gpus } } })

const onlyAttempt = ({ state }: ControlInMemory) => [...state.attempts.values()][0]!

function withWork(): ControlInMemory {
  const control = new ControlInMemory([aNode('n1')])
  control.submit(gang(6))
  control.pass()
  control.observe({ kind: 'attempt-running', attempt: onlyAttempt(control).id, at: control.now })
  return control
}

describe('a node that is renamed while work runs on it', () => {
  it('[C22] keeps its attempts, and what it has left is as it was', () => {
    const control = withWork()
    rename(control, 'n1', 'tower-7')
    expect([...control.state.nodes.keys()]).toEqual(['tower-7'])
    expect(onlyAttempt(control).allocation.parts.map((part) => part.node)).toEqual(['tower-7'])
    control.submit(gang(3))
    expect(control.pass()).toEqual([])
    control.submit(gang(2))
    expect(control.pass()).toHaveLength(1)
  })

  it('[C22] [S6] is the same after a restart and a replay', () => {
    const control = withWork()
    control.do({
      kind: 'reserve',
      reservation: {
        id: id<ReservationId>('optics'),
        kind: 'maintenance',
        from: control.now + HOUR_MS,
        to: control.now + 2 * HOUR_MS,
        wish: { kind: 'nodes', nodes: [node('n1')] },
        reason: '',
      },
    })
    rename(control, 'n1', 'tower-7')
    expect([...control.state.reservations.values()][0]?.nodes).toEqual(['tower-7'])
    expect(control.replayed()).toBe(serialiseState(control.state))
    expect(serialiseState(control.restored())).toBe(serialiseState(control.state))
  })

  it('[C22] is spoken of and to by the name that its engine has for it', () => {
    const control = new ControlInMemory([aNode('n1')])
    rename(control, 'n1', 'tower-7')
    control.submit(gang(8))
    const [launch] = control.pass()
    expect(launch).toMatchObject({ kind: 'launch', order: { allocation: { parts: [{ node: 'n1' }] } } })
    expect(
      control.do({ kind: 'node-action', node: node('tower-7'), action: 'drain', reason: 'fan' }),
    ).toContainEqual(expect.objectContaining({ kind: 'node-service', node: 'n1' }))
    control.observe({ kind: 'node-down', node: node('n1'), reason: 'no power', at: control.now })
    expect(control.state.nodes.get(node('tower-7'))).toMatchObject({ state: 'down', stateReason: 'no power' })
    const { length } = control.log
    control.observe({ kind: 'node-present', node: aNode('n1'), at: control.now })
    expect(control.log).toHaveLength(length)
  })

  it('[C22] is avoided under its new name when it failed work under the old', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2')])
    control.submit(gang(8))
    control.pass()
    const { id: attempt, allocation } = onlyAttempt(control)
    const failed = allocation.parts[0]!.node
    rename(control, failed, 'tower-7')
    control.observe({
      kind: 'attempt-ended',
      attempt,
      at: control.now,
      exits: [],
      cause: { kind: 'node-lost', message: 'gone', node: failed, blame: 'platform' },
    })
    expect(
      control.state.workloads
        .values()
        .next()
        .value?.avoidedNodes.map((it) => it.node),
    ).toEqual(['tower-7'])
    control.now += 10 * MINUTE_MS
    control.pass()
    expect(onlyAttempt(control).allocation.parts[0]?.node).not.toBe('tower-7')
  })

  it('[C23] takes no name that is taken, by a node or by an engine', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2')])
    expect(control.rejection({ kind: 'rename-node', node: node('n1'), to: node('n2') }).code).toBe(
      'already-exists',
    )
    rename(control, 'n1', 'tower-7')
    expect(control.rejection({ kind: 'rename-node', node: node('n2'), to: node('n1') })).toEqual({
      code: 'already-exists',
      message: '"n1" is what the engine calls tower-7; no other node may have that name.',
    })
    expect(control.rejection({ kind: 'rename-node', node: node('n2'), to: node('a b') }).code).toBe(
      'invalid-name',
    )
    expect(control.rejection({ kind: 'rename-node', node: node('n9'), to: node('n3') }).code).toBe(
      'no-such-node',
    )
    rename(control, 'tower-7', 'n1')
    expect(control.state.nodes.get(node('n1'))).not.toHaveProperty('engineName')
  })

  it('[C23] gives its name back when the engine gets a node that is called so', () => {
    const control = withWork()
    rename(control, 'n1', 'n2')
    control.do({
      kind: 'inventory',
      inventory: { levels: ['site', 'node'], nodes: [aNode('n1'), aNode('n2')] },
    })
    expect([...control.state.nodes.keys()].sort()).toEqual(['n1', 'n2'])
    expect(onlyAttempt(control).allocation.parts.map((part) => part.node)).toEqual(['n1'])
  })
})
