import { describe, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, type NodeId } from '../../base/index.ts'
import type { LoggedEvent, StoredState } from '../../control/index.ts'
import { clusterOf, clusterTemplate } from '../../fabric/index.ts'
import { DEFAULT_POLICY, type Policy, taskCount } from '../../model/index.ts'
import { ModelStore } from '../faults/model-store.ts'
import { lossAt } from '../fleet/loss.ts'
import { readLog } from '../replay/read-log.ts'
import { replay } from '../replay/replay.ts'
import { policyByName } from '../scenario/policies.ts'
import { type Arrival, Arrivals } from './arrivals.ts'
import { LiveFleet } from './live-fleet.ts'
import { LiveHistory } from './live-history.ts'
import type { LivePlan } from './live-plan.ts'
import { taskLog } from './task-log.ts'

const NOTHING: StoredState = { lastSequence: 0, documents: [], workloads: [], attempts: [] }
const FOUNDED = 1_750_000_000_000

function aPlan(over: Partial<LivePlan> = {}): LivePlan {
  const { cluster, nodes } = clusterOf(clusterTemplate('nd-h100-v5')!, 24)
  return {
    seed: 5,
    levels: cluster.levels,
    nodes,
    gpuCount: 24 * 8,
    gpusPerNode: 8,
    shape: 'rsc',
    load: 0.9,
    faults: { rates: ['llama3'], scale: 20 },
    historyMs: 12 * HOUR_MS,
    ...over,
  }
}

function firstOf(arrivals: Arrivals, count: number): Arrival[] {
  return Array.from({ length: count }, () => arrivals.take())
}

/** The batches of a history, written to a store until it ends or so many are written. */
function lived(plan: LivePlan, store: ModelStore, batches = Number.POSITIVE_INFINITY): ModelStore {
  const begin = store.log.length === 0 ? NOTHING : store.load()
  const history = new LiveHistory(plan, new Arrivals(plan), begin, FOUNDED, 500)
  for (let left = batches; left > 0; left--) {
    const batch = history.next()
    if (!batch) break
    store.append(batch)
  }
  return store
}

describe('arrivals', () => {
  it('[T19] are the same of the same plan, others of another seed, and go on from any moment', () => {
    const once = firstOf(new Arrivals(aPlan()), 600)
    expect(firstOf(new Arrivals(aPlan()), 600)).toEqual(once)
    expect(firstOf(new Arrivals(aPlan({ seed: 6 })), 600)).not.toEqual(once)
    expect(new Set(once.map(({ key }) => key)).size).toBe(600)
    const times = once.map(({ atMs }) => atMs)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    for (const atMs of [1, HOUR_MS, DAY_MS + HOUR_MS]) {
      const later = new Arrivals(aPlan())
      later.skipTo(atMs)
      expect(later.take()).toEqual(once.find((arrival) => arrival.atMs >= atMs))
    }
  })
})

describe('the history of a live twin', () => {
  it('[T20] leaves a machine in use, goes on from any batch, and submits nothing twice', () => {
    const plan = aPlan({ replicaAddress: '127.0.0.1:1' })
    const whole = lived(plan, new ModelStore())
    expect(usedShare(whole, plan)).toBeGreaterThan(0.5)
    expect(lived(plan, new ModelStore()).log).toEqual(whole.log)
    const replicas = whole.load().attempts.filter(({ address }) => address !== undefined)
    expect(replicas.length).toBeGreaterThan(0)
    expect(replicas.filter(({ ready }) => !ready)).toEqual([])
    const cut = lived(plan, new ModelStore(), 2)
    const before = cut.log.length
    lived(plan, cut)
    expect(cut.log.length).toBeGreaterThan(before)
    const keys = cut.log.flatMap(({ event }) =>
      event.kind === 'workload-submitted' ? [event.submission?.key] : [],
    )
    expect(new Set(keys).size).toBe(keys.length)
    expect(JSON.stringify(cut.log.slice(before))).not.toContain('no record of it any more')
  })

  it('[T21] is taken up by a fleet that knows all that runs, and how far it is', () => {
    const plan = aPlan({ faults: { rates: ['llama3'], scale: 0 } })
    const store = lived(plan, new ModelStore())
    const stored = store.load()
    const now = FOUNDED + plan.historyMs
    const fleet = new LiveFleet(plan, stored, now)
    const running = stored.attempts.filter(({ runningAt }) => runningAt !== undefined)
    expect([...fleet.engine.runs.keys()].sort()).toEqual(running.map(({ id }) => id).sort())
    for (const run of fleet.engine.runs.values()) {
      const attempt = running.find(({ id }) => id === run.attempt)!
      if (run.behaviour.workUs === undefined) continue
      const ranUs = (now - attempt.runningAt!) * 1000
      expect(run.doneUs - run.resumedUs + run.savingUs).toBeGreaterThan(
        Math.min(ranUs, run.behaviour.workUs) * 0.98 - 1e6,
      )
    }
    const [node] = plan.nodes
    expect(fleet.engine.down.has(node!.id as NodeId)).toBe(false)
    const trained = [...fleet.engine.runs.values()].find(({ order }) => !order.needsPort)!
    const short = taskLog(trained, 0)
    fleet.advance(fleet.now + 60e6)
    if (fleet.engine.runs.has(trained.attempt)) {
      fleet.settle(trained)
      expect(taskLog(trained, 0).startsWith(short)).toBe(true)
    }
    expect(short).toContain(`task 0 of ${taskCount(trained.order.program, trained.order.allocation)}`)
  })
})

it('the loss falls as a language model learns, and hangs on the step alone', () => {
  const training = { stepUs: 1e6, tokensPerStep: 4e6, parameters: 7e9 }
  const losses = [1, 10, 100, 1_000, 10_000, 100_000].map((step) => lossAt(training, step))
  expect(losses).toEqual([...losses].sort((a, b) => b - a))
  expect(losses[0]).toBeGreaterThan(5)
  expect(losses.at(-1)).toBeGreaterThan(1.69)
  expect(losses.at(-1)).toBeLessThan(2.5)
  expect(lossAt(training, 100)).toBe(losses[2])
})

describe('a replay of the log', () => {
  const plan = aPlan({ faults: { rates: ['llama3'], scale: 0 }, load: 1.3 })
  const { log } = lived(plan, new ModelStore())
  const toMs = FOUNDED + plan.historyMs
  const machine = { levels: plan.levels, nodes: plan.nodes, queues: queuesOf(log) }
  const again = (fromMs: number, after: Policy) =>
    replay(readLog(log, fromMs, toMs), machine, DEFAULT_POLICY, after)

  it('[T22] gives each workload the wait that the log has, under the policy that made it', () => {
    const work = readLog(log, FOUNDED, toMs)
    const recorded = work.recorded.flatMap(({ waitMs }, job) => {
      const { submitMs } = work.jobs[job]!
      return submitMs > FOUNDED ? [waitMs ?? toMs - submitMs] : []
    })
    expect(recorded.length).toBeGreaterThan(50)
    const { before, after, changes } = again(FOUNDED, DEFAULT_POLICY)
    expect(after).toEqual(before)
    expect(changes).toEqual([])
    const meanS = recorded.reduce((sum, wait) => sum + wait, 0) / recorded.length / 1000
    // A history shares passes, at most a minute apart; and chance decides little else.
    expect(Math.abs(before.meanWaitS - meanS)).toBeLessThan(Math.max(120, meanS * 0.25))
  })

  it('[T22] tells who would start earlier or later under another policy', () => {
    const { earlier, later, same, changes, jobs } = again(toMs - 6 * HOUR_MS, policyByName('fifo')!.policy)
    expect(earlier + later).toBe(changes.length)
    expect(later).toBeGreaterThan(0)
    expect(earlier + later + same).toBeLessThanOrEqual(jobs)
  })
})

function queuesOf(log: readonly LoggedEvent[]) {
  return log.flatMap(({ event }) =>
    event.kind === 'queue-set' && event.queue.guaranteedGpus > 0 ? [event.queue] : [],
  )
}

function usedShare(store: ModelStore, { gpuCount }: LivePlan): number {
  const held = store
    .load()
    .attempts.flatMap(({ allocation }) => allocation.parts.flatMap(({ gpus }) => gpus)).length
  return held / gpuCount
}
