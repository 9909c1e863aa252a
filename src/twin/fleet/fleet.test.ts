import { describe, expect, it } from 'vitest'
import type { AttemptId, NodeId, WorkloadId } from '../../base/index.ts'
import { DAY_MS, id } from '../../base/index.ts'
import type { LaunchOrder } from '../../control/index.ts'
import { buildFabric } from '../../fabric/index.ts'
import { stragglersOf } from '../../model/index.ts'
import { FaultInjector, type FaultOccurrence } from '../faults/fault-injector.ts'
import { causesOf, RATE_SETS } from '../faults/rates.ts'
import { Agenda } from '../kernel/agenda.ts'
import { Streams } from '../kernel/streams.ts'
import { plainCluster } from '../scenario/plain-cluster.ts'
import type { Behaviour } from './behaviour.ts'
import { FabricSharing } from './fabric-sharing.ts'
import type { FleetOccurrence } from './fleet-options.ts'
import { Pace } from './pace.ts'
import { SimulatedEngine } from './simulated-engine.ts'

const S = 1_000_000

function aFleet(behaviour: Partial<Behaviour>, pace = new Pace(), reports = false) {
  const agenda = new Agenda<FleetOccurrence>()
  const engine = new SimulatedEngine(
    {
      ...plainCluster(4, 8),
      behaviourOf: () => ({ workUs: 100 * S, startUs: 0, saveUs: 0, savesWhenTold: true, ...behaviour }),
      speeds: pace,
      tellSaves: false,
      reports,
    },
    { plan: (at, what) => agenda.plan(at, 0, what), cancel: (ticket) => agenda.cancel(ticket) },
  )
  return {
    engine,
    pace,
    get now() {
      return agenda.now
    },
    order(number: number, nodes: readonly number[] = [0], workload = 'w1'): LaunchOrder {
      return {
        attempt: id<AttemptId>(`${workload}.${number}`),
        workload: id<WorkloadId>(workload),
        number,
        name: 'job',
        owner: {} as LaunchOrder['owner'],
        allocation: { parts: nodes.map((n) => ({ node: id<NodeId>(`node-${n}`), gpus: [0, 1] })) },
        program: {} as LaunchOrder['program'],
        needsPort: false,
        replica: 0,
      }
    },
    /** Until nothing is planned any more; the facts that came. */
    runOut() {
      for (let next = agenda.take(); next; next = agenda.take()) engine.happen(next.what, next.at)
      return engine.takeFacts()
    },
  }
}

describe('SimulatedEngine', () => {
  it('[T11] loses by a crash what was done since the last checkpoint, and nothing older', () => {
    const fleet = aFleet({ saveEveryUs: 10 * S, saveUs: S })
    fleet.engine.launch(fleet.order(1), 0)
    fleet.engine.failNode(id('node-0'), 'broke', 38 * S)
    expect(fleet.engine.takeFacts()).toMatchObject([
      { kind: 'attempt-running' },
      { kind: 'node-down', node: 'node-0' },
      // Three cycles of 11 s have been saved, the fourth was under way.
      { kind: 'attempt-progress', progress: { step: 35 }, checkpoint: { at: 33_000, step: 30 } },
      { kind: 'attempt-ended', cause: { kind: 'node-lost', node: 'node-0', blame: 'platform' } },
    ])
    fleet.engine.launch(fleet.order(2, [1]), 40 * S)
    const facts = fleet.runOut()
    // 70 s of work are left, with six checkpoints between.
    expect(facts.at(-1)).toMatchObject({ kind: 'attempt-ended', at: 116_000, exits: [{ exitCode: 0 }] })
  })

  it('[T11] loses nothing by a stop with enough grace, and all since the checkpoint by one without', () => {
    // Told to end at 25 s it has saved 20 s of work, and computed 20 s plus what lies behind the first save.
    for (const [graceMs, saveS, endsAt, savedStep] of [
      [10_000, 2, 27_000, 23],
      [2_000, 3, 27_000, 20],
      [0, 2, 25_000, 20],
    ] as const) {
      const fleet = aFleet({ saveEveryUs: 20 * S, saveUs: saveS * S })
      fleet.engine.launch(fleet.order(1), 0)
      const signal = graceMs > 0 ? 'SIGTERM' : 'SIGKILL'
      fleet.engine.stop(id('w1.1'), { signal, graceMs }, 25 * S)
      const facts = fleet.runOut()
      expect(facts.at(-1)).toMatchObject({ kind: 'attempt-ended', at: endsAt, exits: [{ stopped: true }] })
      expect(facts.at(-2)).toMatchObject({ kind: 'attempt-progress', checkpoint: { step: savedStep } })
    }
  })

  it('[T11] hangs until somebody notices, and then ends with the log that tells why', () => {
    const fleet = aFleet({})
    fleet.engine.launch(fleet.order(1), 0)
    const run = fleet.engine.runs.get(id('w1.1'))!
    fleet.engine.failRun(run, { node: id('node-0'), exitCode: 1, logTail: 'timed out' }, 600 * S, 10 * S)
    expect(fleet.runOut().at(-1)).toMatchObject({
      at: 610_000,
      exits: [{ logTail: 'timed out', stopped: false }],
    })
    expect(run.hungUs).toBe(600 * S)
  })

  it('[T31] lets an attempt wait for what others hold, and tells when they come and go', () => {
    const fleet = aFleet({})
    fleet.engine.setForeign(id('node-0'), [1, 2], 'ada', 0)
    fleet.engine.launch(fleet.order(1), 0)
    expect(fleet.engine.freeGpus(id('node-0'))).toEqual([3, 4, 5, 6, 7])
    fleet.engine.setForeign(id('node-0'), [2], 'ada', 5 * S)
    expect(fleet.runOut()).toMatchObject([
      { kind: 'node-foreign', gpus: [1, 2], holder: 'ada' },
      { kind: 'node-foreign', gpus: [2], at: 5_000 },
      { kind: 'attempt-running', at: 5_000 },
      { kind: 'attempt-ended', at: 105_000 },
    ])
  })

  it('[T31] ends what runs on GPUs that a node no longer has, and starts nothing there', () => {
    const fleet = aFleet({})
    const before = fleet.engine.nodes.describe(id('node-0'))
    fleet.engine.launch(fleet.order(1), 0)
    fleet.engine.changeNode({ ...before, gpuCount: 1 }, 10 * S)
    fleet.engine.launch(fleet.order(2), 10 * S)
    expect(fleet.runOut().slice(1)).toMatchObject([
      { kind: 'node-present', node: { gpuCount: 1 } },
      { kind: 'attempt-ended', attempt: 'w1.1', cause: { kind: 'node-lost', node: 'node-0' } },
      { kind: 'attempt-ended', attempt: 'w1.2', cause: { kind: 'launch-refused', node: 'node-0' } },
    ])
    fleet.engine.changeNode(before, 20 * S)
    fleet.engine.launch(fleet.order(3), 20 * S)
    expect(fleet.engine.runs.size).toBe(1)
  })

  it('[T11] launches an attempt once, refuses nodes that are down, and tells all it knows when asked', () => {
    const fleet = aFleet({})
    fleet.engine.launch(fleet.order(1), 0)
    fleet.engine.launch(fleet.order(1), 0)
    expect(fleet.engine.runs.size).toBe(1)
    fleet.engine.failNode(id('node-3'), 'broke', 0)
    fleet.engine.launch(fleet.order(1, [3], 'w2'), 0)
    fleet.engine.takeFacts()
    expect(fleet.engine.tellAll(0).filter((fact) => 'attempt' in fact)).toMatchObject([
      { kind: 'attempt-running', attempt: 'w1.1' },
      { kind: 'attempt-progress', attempt: 'w1.1' },
      { kind: 'attempt-ended', attempt: 'w2.1', cause: { kind: 'launch-refused', node: 'node-3' } },
    ])
    fleet.engine.forget(id('w2.1'))
    expect(fleet.engine.tellAll(0).some((fact) => 'attempt' in fact && fact.attempt === 'w2.1')).toBe(false)
  })

  it('[T12] goes as fast as the slowest node of the gang, from the moment on that it is slow', () => {
    const fleet = aFleet({})
    fleet.engine.launch(fleet.order(1, [0, 1]), 0)
    fleet.pace.setNodeSpeed(id('node-1'), 0.5)
    fleet.engine.paceAnew(fleet.engine.runsOn(id('node-1')), 40 * S)
    expect(fleet.runOut().at(-1)).toMatchObject({ kind: 'attempt-ended', at: 160_000 })
  })

  it('[T35] tells how far it is as it begins, after half a minute, and when it has run twice as long', () => {
    const fleet = aFleet({ startUs: 10 * S, workUs: 200 * S }, new Pace(), true)
    fleet.engine.launch(fleet.order(1), 0)
    const told = fleet
      .runOut()
      .flatMap((fact) =>
        fact.kind === 'attempt-progress' ? [[fact.progress.at / 1000, fact.progress.step]] : [],
      )
    expect(told).toEqual([
      [10, 0],
      [40, 30],
      [70, 60],
      [130, 120],
    ])
  })

  it('[T27] tells how long each rank computes, so that those of a slow node stand out', () => {
    const training = { stepUs: 4 * S, tokensPerStep: 1, parameters: 1e9 }
    const fleet = aFleet({ training, workUs: 10_000 * S })
    const order = fleet.order(1, [0, 1, 2])
    const program = { tasksPer: 'gpu' } as LaunchOrder['program']
    fleet.engine.launch({ ...order, program }, 0)
    const run = fleet.engine.runs.get(order.attempt)!
    const told = (at: number) => {
      fleet.engine.takeFacts()
      fleet.engine.tellProgress(run, at)
      const [fact] = fleet.engine.takeFacts()
      return fact?.kind === 'attempt-progress' ? fact.ranks : undefined
    }
    expect(told(3 * S)).toBeUndefined()
    const sound = told(400 * S)!
    expect(sound).toMatchObject({ step: 100, reports: 16, stepMs: 4000 })
    expect(sound.computeMs).toHaveLength(6)
    expect(stragglersOf(sound).ranks).toEqual([])
    fleet.pace.setNodeSpeed(id('node-1'), 0.7)
    fleet.engine.paceAnew([run], 400 * S)
    const slowed = told(800 * S)!
    expect(new Set(stragglersOf(slowed).ranks)).toEqual(new Set([2, 3]))
    expect(slowed.stepMs).toBe(Math.round(4000 / 0.7))
    expect(Math.max(...slowed.computeMs)).toBeLessThan(slowed.stepMs!)
  })

  it('[T12] goes slower while gangs meet on a link, and full speed again when they no longer do', () => {
    const { nodes } = plainCluster(4, 8)
    const spread = nodes.map((node, i) => ({ ...node, domains: ['site', i < 2 ? 'a' : 'b'] }))
    const fabric = buildFabric(['site', 'block', 'node'], spread, {
      nodeBytesPerSecond: 10,
      oversubscription: { block: 2 },
    })
    const fleet = aFleet({ traffic: { pattern: 'ring', share: 0.5 } }, new Pace(new FabricSharing(fabric)))
    fleet.engine.launch(fleet.order(1, [0, 2]), 0)
    const first = fleet.engine.runs.get(id('w1.1'))!
    expect(first.speed).toBe(1)
    fleet.engine.launch(fleet.order(1, [1, 3], 'w2'), 0)
    // Each gets half of the link: a step of 1 takes 0.5 of computing and twice 0.5 of traffic.
    expect(first.speed).toBeCloseTo(1 / 1.5)
    fleet.engine.stop(id('w2.1'), { signal: 'SIGKILL', graceMs: 0 }, 30 * S)
    expect(first.speed).toBe(1)
    expect(fleet.runOut().at(-1)).toMatchObject({ attempt: 'w1.1', at: 110_000 })
  })
})

describe('FaultInjector', () => {
  it('[T13] strikes at the published rates, and lemons take their share', () => {
    const { nodes } = plainCluster(1000, 8)
    const agenda = new Agenda<FaultOccurrence>()
    const injector = new FaultInjector(
      { rates: ['llama3'], scale: 1, lemons: { nodes: 0.02, failures: 0.7 } },
      nodes,
      new Streams(5),
      (inUs, what) => void agenda.plan(agenda.now + inUs, 0, what),
    )
    const fleet = aFleet({})
    injector.start()
    const broken = new Map<string, number>()
    const days = 200
    for (let next = agenda.take(); next && next.at < days * DAY_MS * 1000; next = agenda.take()) {
      injector.happen(next.what, fleet.engine, fleet.pace, next.at)
      if (next.what.kind === 'node-repaired')
        broken.set(next.what.node, (broken.get(next.what.node) ?? 0) + 1)
    }
    const count = [...injector.counts.values()].reduce((sum, each) => sum + each, 0)
    // 3.79 per 1,000 node-days (table 5 of the paper over its node-days), within four standard deviations.
    const expected = (419 / 110_592) * 1000 * days
    expect(Math.abs(count - expected)).toBeLessThan(4 * Math.sqrt(expected))
    expect(injector.counts.get('gpu')! / count).toBeCloseTo(148 / 419, 1)
    const most = [...broken.values()].sort((a, b) => b - a)
    const lemons = most.slice(0, 20).reduce((sum, each) => sum + each, 0)
    expect(lemons / most.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(0.55)
  })

  it('[T13] every set names effects that the injector knows, with positive rates', () => {
    for (const set of RATE_SETS) {
      for (const cause of causesOf(set)) {
        expect(['task', 'program', 'hang', 'node']).toContain(cause.effect)
        expect(cause.perMs).toBeGreaterThan(0)
        if (cause.effect === 'hang') expect(cause.noticedMs).toBeGreaterThan(0)
      }
    }
    const llama = causesOf('llama3').reduce((sum, { perMs }) => sum + perMs, 0)
    expect(llama * 1000 * DAY_MS).toBeCloseTo(3.79, 2)
  })
})
