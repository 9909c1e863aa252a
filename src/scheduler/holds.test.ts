import { describe, expect, it } from 'vitest'
import { compareIds, HOUR_MS, MINUTE_MS } from '../base/index.ts'
import { Pass, planPass } from './pass.ts'
import { aGang, aMachine, drawn, type MachineOptions } from './picture.ts'

const quiet = { consolidate: false, preempt: false } as const

/** What the pass keeps for blocked gangs, by gang: from which minute on, on which nodes. */
function kept(drawing: string, options: MachineOptions) {
  const machine = aMachine(drawing, { ...options, policy: { ...quiet, ...options.policy } })
  const pass = new Pass(machine, 0)
  pass.run()
  const { nodeIds } = machine.fleet.tree
  const found = new Map<string, readonly [number, string]>()
  for (const { entry, at, occupant } of pass.promises.list) {
    const nodes = [...occupant.footprint.nodes].sort((a, b) => a - b).map((n) => nodeIds[n])
    found.set(entry!.gang.workload, [at / MINUTE_MS, nodes.join(' ')])
  }
  pass.rollback()
  return found
}

/** Live gangs of which each ends after so many minutes. */
const endIn = (minutes: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(minutes).map(([name, m]) => [name, { limitMs: m * MINUTE_MS }]))

const line = (...wants: string[]) =>
  wants.map((want, n) => aGang(`g${n + 1}`, want, { submittedAt: n - wants.length, limitMs: HOUR_MS }))

describe('[H2] holds of the blocked gangs at the head', () => {
  const live = endIn({ x: 10, y: 20, z: 30 })

  it.each([
    [1, ['g1']],
    [2, ['g1', 'g2']],
    [3, ['g1', 'g2', 'g3']],
    [4, ['g1', 'g2', 'g3']],
  ])('as many as the policy says: %i', (holdDepth, holders) => {
    const queued = line('1 node', '1 node', '1 node')
    const found = kept('a xx yy zz', { live, queued, policy: { holdDepth } })
    expect([...found.keys()].sort(compareIds)).toEqual(holders)
  })

  it.each([
    [
      'one after the other',
      'a xx yy zz',
      ['1 node', '1 node', '1 node'],
      [
        [10, 'a.1'],
        [20, 'a.2'],
        [30, 'a.3'],
      ],
    ],
    [
      'the next one on what the first leaves',
      'a xx yy zz',
      ['2 nodes', '1 node'],
      [
        [20, 'a.1 a.2'],
        [30, 'a.3'],
      ],
    ],
    [
      'after the first where that leaves too little',
      'a xx yy .. zz',
      ['3 nodes', '2 nodes'],
      [
        [20, 'a.1 a.2 a.3'],
        [80, 'a.1 a.2'],
      ],
    ],
    [
      'over blocks, where that is earlier',
      'a xx zz\nb yy ..',
      ['2 nodes', '2 nodes'],
      [
        [10, 'a.1 b.2'],
        [30, 'a.2 b.1'],
      ],
    ],
    ['none for what would never fit', 'a xx yy', ['3 nodes', '2 nodes'], [undefined, [20, 'a.1 a.2']]],
  ])('each has the earliest place that there is after those before: %s', (_, drawing, wants, places) => {
    const found = kept(drawing, { live, queued: line(...wants) })
    expect(wants.map((_, n) => found.get(`g${n + 1}`))).toEqual(places)
  })
})

describe('[H3] as many GPUs of a node are kept as the gang would miss', () => {
  const live = endIn({ x: 10, y: 600 })

  /** The head starts when `x` has ended; `s` would outlast that. */
  const behind = (drawing: string, head: string, small: string) => {
    const s = aGang('s', small, { submittedAt: 1, limitMs: 5 * HOUR_MS })
    const machine = aMachine(drawing, { policy: quiet, live, queued: [...line(head), s] })
    return drawn(machine, planPass(machine, 0))
  }

  it.each([
    ['one to spare', 'a xx..', '3 gpus', '1 gpu', 'a xx.s'],
    ['not two of one to spare', 'a xx..', '3 gpus', '2 gpus', 'a xx..'],
    ['none to spare', 'a xx..', '4 gpus', '1 gpu', 'a xx..'],
    ['none where less falls free by then', 'a xy..', '3 gpus', '1 gpu', 'a xy..'],
    ['all that is free where enough falls free beside it', 'a xxx.', '3 gpus', '1 gpu', 'a xxxs'],
    ['of each node by itself', 'a xx.. ..xx', '2 nodes x 3', '1 gpu', 'a xx.s ..xx'],
    ['other nodes not at all', 'a xx.. yyy.', '4 gpus', '1 gpu', 'a xx.. yyys'],
  ])('%s', (_, drawing, head, small, result) => {
    expect(behind(drawing, head, small)).toBe(result)
  })
})
