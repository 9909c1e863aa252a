import { describe, expect, it } from 'vitest'
import { HOUR_MS, id, MINUTE_MS } from '../base/index.ts'
import { explain, explainAll } from './explain.ts'
import { forecast } from './forecast.ts'
import { scoreForecasts } from './forecast-score.ts'
import { planPass } from './pass.ts'
import { aGang, aMachine, aNode, apply, aRequest, drawn } from './picture.ts'
import { whatIf } from './what-if.ts'

const now = 10 * HOUR_MS
const options = { replications: 32, seed: 1 }

describe('[X1] an explanation', () => {
  it('names every blocker at once', () => {
    const machine = aMachine('a xx !..', {
      queued: [aGang('g', '1 node', { waitsFor: [id('before')], limitMs: HOUR_MS })],
      live: { x: { limitMs: 11 * HOUR_MS } },
    })
    const { blockers } = explain(machine, now, id('g'), 0)
    expect(blockers.map(({ kind }) => kind)).toEqual(['dependency', 'capacity', 'health'])
    expect(blockers[1]).toMatchObject({ needed: 2, available: 0, earliestEndAt: 11 * HOUR_MS })
  })

  it('says who is ahead, when there is room that others take', () => {
    const machine = aMachine('a ..', {
      queued: [aGang('1', '1 node'), aGang('2', '1 node', { submittedAt: 1 })],
    })
    const { blockers, position } = explain(machine, now, id('2'), 0)
    expect(position).toBe(2)
    expect(blockers[0]).toMatchObject({ kind: 'priority', holders: [{ workload: '1' }] })
  })

  it('says so when it can never start', () => {
    const machine = aMachine('a ..', {
      queued: [aGang('g', '1 node', { request: aRequest('1 node', { gpu: { models: ['B200'] } }) })],
    })
    expect(explain(machine, now, id('g'), 0).blockers[0]!.message).toContain('the cluster has H100-80GB')
  })

  it('of all is in the order of the line', () => {
    const queued = [3, 1, 2].map((n) => aGang(`${n}`, '2 nodes', { submittedAt: n }))
    const machine = aMachine('a xx ..', { queued })
    expect(explainAll(machine, now).map(({ workload }) => workload)).toEqual(['1', '2', '3'])
  })
})

describe('[X2] a counterfactual was tried', () => {
  it('with fewer nodes, and comes true', () => {
    const machine = aMachine('a xx .. ..', { queued: [aGang('g', '3 nodes')] })
    const { counterfactuals } = explain(machine, now, id('g'), 0)
    expect(counterfactuals).toContainEqual(
      expect.objectContaining({ change: { kind: 'fewer-nodes', nodes: 2 }, startsNow: true }),
    )
    machine.updateQueued(aGang('g', '2 nodes'))
    expect(drawn(machine, planPass(machine, now))).toBe('a xx gg gg')
  })

  it('with a wider level', () => {
    const request = aRequest('3 nodes', { within: { level: 'block', mode: 'required' } })
    const machine = aMachine(
      `a xx .. ..
       b yy .. ..`,
      { queued: [aGang('g', '3 nodes', { request })] },
    )
    expect(explain(machine, now, id('g'), 0).counterfactuals).toContainEqual(
      expect.objectContaining({ change: { kind: 'any-level' }, startsNow: true }),
    )
  })

  it('without work of lower priority', () => {
    const machine = aMachine('a xx', {
      policy: { preempt: false },
      queued: [aGang('g', '1 node', { priority: 2 })],
    })
    expect(explain(machine, now, id('g'), 0).counterfactuals).toContainEqual(
      expect.objectContaining({ change: { kind: 'evict-lower-priority', workloads: ['x'] } }),
    )
  })
})

describe('[F1] a forecast', () => {
  it('[R2] gives back once what was held on a node that drains since, and leaves the holds in their order', () => {
    const machine = aMachine('a x. y. z. w.', {
      queued: [aGang('g', '2 nodes', { priority: 2 }), aGang('h', '2 nodes', { priority: 2 })],
    })
    apply(machine, planPass(machine, now), now)
    const held = [...machine.held.keys()]
    expect(held).toHaveLength(2)
    machine.setNode(aNode('a.1', ['a'], 2), 'draining')
    expect(forecast(machine, now, options).map(({ workload }) => workload)).toEqual(['g', 'h'])
    expect([...machine.held.keys()]).toEqual(held)
  })

  const running = { x: { startedAt: now - HOUR_MS, limitMs: 2 * HOUR_MS } }

  it('is not before now and not after the limits say', () => {
    const machine = aMachine('a xx', { live: running, queued: [aGang('g', '1 node', { limitMs: HOUR_MS })] })
    const [{ p50, p90 } = {}] = forecast(machine, now, options)
    expect(p50).toBeGreaterThan(now)
    expect(p90).toBeGreaterThanOrEqual(p50!)
    // Right to 8 % of the time ahead.
    expect(p90).toBeLessThanOrEqual(now + HOUR_MS * 1.08)
  })

  it('is corrected by what runs of the same user took before', () => {
    const machine = aMachine('a xx', { live: running, queued: [aGang('g', '1 node')] })
    for (let i = 0; i < 10; i++)
      machine.history.add(aGang('past', '1 node', { limitMs: HOUR_MS }), 0.6 * HOUR_MS)
    const [{ p90 } = {}] = forecast(machine, now, options)
    expect(p90).toBeLessThanOrEqual(now + 0.25 * HOUR_MS)
  })

  it('[O5] ends what runs when its reports say, and not after its limit', () => {
    const told = {
      x: { ...running.x, limitMs: 20 * HOUR_MS, timeLeft: { ms: 5 * HOUR_MS, at: now - HOUR_MS } },
    }
    const machine = aMachine('a xx', { live: told, queued: [aGang('g', '1 node')] })
    const [{ p50 = 0, p90 = 0 } = {}] = forecast(machine, now, options)
    expect(p50).toBeGreaterThan(now + 3.6 * HOUR_MS)
    expect(p90).toBeLessThan(now + 4.4 * HOUR_MS * 1.08)
    const limited = { x: { ...told.x, limitMs: 2 * HOUR_MS } }
    const sooner = aMachine('a xx', { live: limited, queued: [aGang('g', '1 node')] })
    expect(forecast(sooner, now, options)[0]?.p90).toBeLessThanOrEqual(now + HOUR_MS * 1.08)
  })

  it('[O5] runs what waits for as long as its reports said', () => {
    const machine = aMachine('a xx', {
      live: { x: { startedAt: now - HOUR_MS, timeLeft: { ms: HOUR_MS, at: now } } },
      queued: [
        aGang('g', '1 node', { timeLeft: { ms: 2 * HOUR_MS, at: 0 } }),
        aGang('h', '1 node', { submittedAt: 1 }),
      ],
    })
    const [, { p50 = 0 } = {}] = forecast(machine, now, options)
    expect(Math.abs(p50 - (now + 3 * HOUR_MS))).toBeLessThan(0.4 * HOUR_MS)
  })

  it('is the same for the same seed, and leaves the machine as it was', () => {
    const machine = aMachine('a xx', { live: running, queued: [aGang('g', '1 node')] })
    const before = planPass(machine, now)
    expect(forecast(machine, now, options)).toEqual(forecast(machine, now, options))
    expect(planPass(machine, now)).toEqual(before)
  })

  it('gives no time to what can never start', () => {
    const machine = aMachine('a ..', { queued: [aGang('g', '2 nodes')] })
    expect(forecast(machine, now, options)).toEqual([{ workload: 'g', replica: 0 }])
  })

  it('is scored by how many starts came by the p90', () => {
    const p = { p50At: 10 * MINUTE_MS, p90At: 20 * MINUTE_MS }
    const records = [5, 12, 30].map((minutes) => ({ ...p, startedAt: minutes * MINUTE_MS }))
    expect(scoreForecasts(records)).toEqual({
      count: 3,
      withinP90: 2 / 3,
      medianErrorMs: 5 * MINUTE_MS,
      medianBiasMs: 2 * MINUTE_MS,
    })
  })
})

describe('[W1] what-if', () => {
  it('says who starts earlier on a machine with more nodes, and touches nothing', () => {
    const machine = aMachine('a xx', {
      live: { x: { startedAt: now, limitMs: HOUR_MS } },
      queued: [aGang('g', '1 node', { limitMs: HOUR_MS })],
    })
    const added = { kind: 'add-nodes', nodes: [aNode('a.2', ['a'], 2)] } as const
    const answer = whatIf(machine, now, [added], options)
    expect(answer).toMatchObject({ earlier: 1, later: 0, evicted: [] })
    expect(answer.changes[0]).toMatchObject({ workload: 'g', after: { p50: now } })
    expect(machine.fleet.nodes.size).toBe(1)
  })

  it('says who would be ended when a node goes', () => {
    const machine = aMachine('a xx ..', { live: { x: {} } })
    const answer = whatIf(machine, now, [{ kind: 'remove-nodes', nodes: [id('a.1')] }], options)
    expect(answer.evicted).toEqual(['x.1'])
    expect(machine.live.size).toBe(1)
  })

  it('previews a policy', () => {
    const machine = aMachine('a xx ..', {
      live: { x: { limitMs: 11 * HOUR_MS } },
      queued: [
        aGang('1', '2 nodes', { limitMs: HOUR_MS }),
        aGang('2', '1 node', { submittedAt: 1, limitMs: 5 * HOUR_MS }),
      ],
    })
    const policy = { ...machine.policy, backfill: 'greedy' } as const
    const answer = whatIf(machine, now, [{ kind: 'set-policy', policy }], options)
    expect(answer.changes.find(({ workload }) => workload === '2')!.after!.p50).toBe(now)
  })
})
