import { describe, expect, it } from 'vitest'
import type { QueueId } from '../base/index.ts'
import { id } from '../base/index.ts'
import { openQueue, type Queue } from '../model/index.ts'
import { ACME, aNode, aTraining, ControlInMemory, RESEARCH } from './builders.ts'

const ROOT = id<QueueId>(ACME)
const TEAM = id<QueueId>(RESEARCH)
const OTHER = id<QueueId>('other')

/** Two pods, of two blocks and of one; two nodes in each block. */
const NODES = ['p1/a', 'p1/b', 'p2/c'].flatMap((path) =>
  [1, 2].map((n) => aNode(`${path.slice(3)}${n}`, { domains: path.split('/') })),
)

function aCluster(): ControlInMemory {
  const control = new ControlInMemory([])
  control.do({ kind: 'inventory', inventory: { levels: ['pod', 'block', 'node'], nodes: NODES } })
  control.do({ kind: 'create-organisation', organisation: id('other') })
  return control
}

function guaranteed(queue: QueueId, count: number, level = 'block'): Queue {
  return {
    ...openQueue(queue, queue === TEAM ? ROOT : undefined),
    guaranteedDomains: { level, count },
  }
}

function set(control: ControlInMemory, queue: Queue): void {
  control.do({ kind: 'set-queue', queue })
}

function refusal(control: ControlInMemory, queue: Queue): string {
  const { code, message } = control.rejection({ kind: 'set-queue', queue })
  expect(code).toBe('invalid-queue')
  return message
}

describe('[C27] a guarantee in whole domains', () => {
  it('is refused beyond what the cluster has, other queues counted', () => {
    const control = aCluster()
    expect(refusal(control, guaranteed(ROOT, 4))).toBe(
      '"acme" would be guaranteed 4 whole domains of the level "block", but this cluster has 3. Guarantee it at most 3, or add nodes first.',
    )
    set(control, guaranteed(OTHER, 2))
    expect(refusal(control, guaranteed(ROOT, 2))).toBe(
      '"acme" would be guaranteed 2 whole domains of the level "block" and other queues have 2, but this cluster has 3. Guarantee it at most 1, lower theirs first, or add nodes.',
    )
    set(control, guaranteed(ROOT, 1))
  })

  it('is refused for a level that the cluster does not have, with the nearest name', () => {
    const control = aCluster()
    expect(refusal(control, guaranteed(ROOT, 1, 'blocks'))).toBe(
      '"acme" would be guaranteed whole domains of the level "blocks", which this cluster does not have (did you mean "block"?). Levels: pod, block.',
    )
    expect(refusal(control, guaranteed(ROOT, 1, 'node'))).toContain('Levels: pod, block.')
  })

  it('is refused beyond that of its parent', () => {
    const control = aCluster()
    set(control, guaranteed(TEAM, 2))
    expect(refusal(control, guaranteed(ROOT, 1))).toContain(
      'The queues under "acme" would be guaranteed 2 whole domains of the level "block" together, but "acme" itself has 1 of "block".',
    )
    set(control, guaranteed(ROOT, 3))
    expect(refusal(control, guaranteed(OTHER, 1))).toContain('other queues have 3')
    set(control, guaranteed(TEAM, 3))
    expect(refusal(control, guaranteed(TEAM, 1, 'pod'))).toContain('its parent "acme" only of "block"')
    set(control, guaranteed(TEAM, 2))
    set(control, guaranteed(ROOT, 1, 'pod'))
    expect(refusal(control, guaranteed(TEAM, 3))).toContain(
      'itself has 1 of "pod", in which there are at most 2. Raise its guarantee first, or lower theirs.',
    )
  })

  it('is refused among queues that are applied together, and accepted where they fit together', () => {
    const control = aCluster()
    const apply = (root: number, team: number) =>
      ({
        kind: 'apply-policy',
        queues: [guaranteed(TEAM, team), guaranteed(ROOT, root)],
        replaces: { queues: [] },
      }) as const
    expect(control.rejection(apply(1, 2)).message).toContain('"acme" itself has 1 of "block"')
    control.do(apply(2, 2))
    expect(control.state.queues.get(TEAM)?.guaranteedDomains).toEqual({ level: 'block', count: 2 })
  })

  it('stays when nodes or the level are lost, and its queue can be changed otherwise and be lowered', () => {
    const control = aCluster()
    set(control, guaranteed(ROOT, 3))
    const left = NODES.filter(({ domains }) => domains[0] === 'p2')
    control.do({ kind: 'inventory', inventory: { levels: ['pod', 'block', 'node'], nodes: left } })
    expect(control.state.nodes.size).toBe(2)
    set(control, { ...guaranteed(ROOT, 3), weight: 2 })
    set(control, guaranteed(ROOT, 2))
    const nodes = [aNode('n1', { domains: ['here', 'a'] })]
    control.do({ kind: 'inventory', inventory: { levels: ['region', 'rack', 'node'], nodes } })
    set(control, { ...guaranteed(ROOT, 2), weight: 3 })
    control.submit(aTraining())
    expect(control.pass()).toHaveLength(1)
  })
})
