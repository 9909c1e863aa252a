import { describe, expect, it } from 'vitest'
import { HOUR_MS, id } from '../base/index.ts'
import { explain } from './explain.ts'
import type { QueuedGang } from './gang.ts'
import type { Machine } from './machine.ts'
import { planPass } from './pass.ts'
import { aGang, aMachine, aQueue, aRequest, drawn, picture } from './picture.ts'

describe('placement', () => {
  it('puts a gang into the smallest domain that fits it, best fit', () => {
    const machine = aMachine(
      `a xx .. .. ..
       b yy zz .. ..`,
      { queued: [aGang('g', '2 nodes')] },
    )
    expect(drawn(machine, planPass(machine, 0))).toBe(
      picture(`a xx .. .. ..
               b yy zz gg gg`),
    )
  })

  it('packs small jobs so that whole nodes stay whole', () => {
    const machine = aMachine('a x... .... yy..', { queued: [aGang('g', '1 gpu')] })
    expect(drawn(machine, planPass(machine, 0))).toBe('a x... .... yyg.')
  })

  it('spans domains only when none fits, and not when the level is required', () => {
    const free = `a xx .. ..
                  b yy .. ..`
    const anywhere = aMachine(free, { queued: [aGang('g', '3 nodes')] })
    expect(drawn(anywhere, planPass(anywhere, 0))).toBe(
      picture(`a xx gg gg
               b yy gg ..`),
    )
    const within = aRequest('3 nodes', { within: { level: 'block', mode: 'required' } })
    const bounded = aMachine(free, { queued: [aGang('g', '3 nodes', { request: within })] })
    expect(planPass(bounded, 0).starts).toEqual([])
  })

  it('cuts a gang into segments, each inside one domain', () => {
    const request = aRequest('4 nodes', { segment: { nodes: 2, level: 'block' } })
    const machine = aMachine(
      `a .. .. ..
       b .. .. ..`,
      { queued: [aGang('g', '4 nodes', { request })] },
    )
    expect(drawn(machine, planPass(machine, 0))).toBe(
      picture(`a gg gg ..
               b gg gg ..`),
    )
  })
})

describe('[P6] a gang larger than any domain that it may stand in', () => {
  const free = `a .. .. ..
                b .. .. ..`

  it('blocks nobody, even where the policy keeps strict order, and is told why', () => {
    const request = aRequest('4 nodes', { within: { level: 'block', mode: 'required' } })
    const machine = aMachine(free, {
      policy: { ordering: 'fifo', backfill: 'strict' },
      queued: [aGang('g', '4 nodes', { request }), aGang('s', '1 node', { submittedAt: 1 })],
    })
    expect(planPass(machine, 2).starts.map(({ workload }) => workload)).toEqual(['s'])
    const { blockers, counterfactuals } = explain(machine, 2, aGang('g', '4 nodes').workload, 0)
    expect(blockers.map(({ kind, message }) => [kind, message])).toEqual([
      [
        'shape',
        'It can never start here: it needs 4 nodes in one block, and one block has at most 3 of the right kind.',
      ],
    ])
    expect(counterfactuals.map(({ change }) => change.kind)).toContain('fewer-nodes')
  })

  it('blocks nobody where only what is guaranteed to others, or was not asked for, would make it large enough (chaos seed 8759)', () => {
    const owner = aQueue('owner', { guaranteedDomains: { level: 'block', count: 1 } })
    const head = (more: Partial<QueuedGang>) =>
      aMachine('a .. ..\nb .. !..', {
        policy: { ordering: 'fifo', backfill: 'strict' },
        queues: [owner, aQueue('other')],
        queued: [
          aGang('g', '2 nodes', { queue: id('other'), ...more }),
          aGang('s', '1 node', { queue: id('other'), submittedAt: 1 }),
        ],
      })
    const started = (machine: Machine) => planPass(machine, 2).starts.map(({ workload }) => workload)
    const request = aRequest('2 nodes', { within: { level: 'block', mode: 'required' } })
    expect(started(head({ request, preemptible: false }))).toEqual(['s'])
    expect(started(head({ only: [id('b.1')] }))).toEqual(['s'])
    // What is only not ready comes back.
    expect(started(head({ only: [id('b.1'), id('b.2')] }))).toEqual([])
  })

  it('counts whole segments where it is cut', () => {
    const request = aRequest('4 nodes', { segment: { nodes: 2, level: 'block' } })
    const fits = aMachine(free, { queued: [aGang('g', '4 nodes', { request })] })
    expect(planPass(fits, 0).starts).toHaveLength(1)
    const larger = aRequest('6 nodes', { segment: { nodes: 2, level: 'block' } })
    const never = aMachine(free, { queued: [aGang('g', '6 nodes', { request: larger })] })
    expect(explain(never, 0, aGang('g', '1 node').workload, 0).blockers[0]!.message).toContain(
      'it needs 6 nodes in segments of 2 inside one block in this cluster, and this cluster has at most 4',
    )
  })
})

describe('order', () => {
  it('starts a burst of one user and the one job of another in turns', () => {
    const burst = ['1', '2', '3', '4'].map((n) => aGang(n, '1 gpu', { user: 'many' as never }))
    const one = aGang('5', '1 gpu', { user: 'one' as never, submittedAt: 10 })
    const machine = aMachine('a ..', { queued: [...burst, one] })
    expect(planPass(machine, 20).starts.map((start) => start.workload)).toEqual(['1', '5'])
  })
})

describe('holds', () => {
  const big = aGang('g', '2 nodes', { limitMs: HOUR_MS })
  const live = { x: { limitMs: HOUR_MS } }

  it('keeps free nodes for the blocked head from what would outlast the hold', () => {
    const machine = aMachine('a xx ..', {
      live,
      queued: [big, aGang('s', '1 gpu', { submittedAt: 1, limitMs: 2 * HOUR_MS })],
    })
    expect(planPass(machine, 0).starts).toEqual([])
  })

  it('lets in what is over before the hold begins', () => {
    const machine = aMachine('a xx ..', {
      live,
      queued: [big, aGang('s', '1 gpu', { submittedAt: 1, limitMs: HOUR_MS })],
    })
    expect(drawn(machine, planPass(machine, 0))).toBe('a xx s.')
  })
})
