import { describe, expect, it } from 'vitest'
import { randomStream } from '../../base/index.ts'
import { estimateServing, machineByTemplate, modelByName, servingReplica } from '../../planner/index.ts'
import { Histogram } from './histogram.ts'
import { type ReplicaLife, serveRequests } from './serve-requests.ts'
import type { ServedModel, Service } from './service.ts'

const SERVICE: Service = { prefillSecondsPerToken: 0.001, tokenSeconds: [0.01, 0.02, 0.04] }
const ALWAYS: ReplicaLife = { readyAt: 0, endedAt: 1e6 }

type Asked = readonly [at: number, context: number, generated: number]

function aModel(asked: readonly Asked[], more: Partial<ServedModel> = {}): ServedModel {
  return {
    service: SERVICE,
    load: {
      arrivalS: Float64Array.from(asked, ([at]) => at),
      contextTokens: Uint32Array.from(asked, ([, context]) => context),
      generatedTokens: Uint32Array.from(asked, ([, , generated]) => generated),
      roundS: 1e5,
      beginS: 0,
      lastsS: 1e5,
    },
    outstandingPerReplica: 4,
    ...more,
  }
}

describe('a replica', () => {
  it('[T25] reads a request and then writes its tokens, alone at full speed', () => {
    const { firstToken, perToken, whole, generatedTokens } = serveRequests(aModel([[5, 200, 11]]), [ALWAYS])
    expect(firstToken.mean).toBeCloseTo(0.2)
    expect(perToken.mean).toBeCloseTo(0.01)
    expect(whole.mean).toBeCloseTo(0.2 + 10 * 0.01)
    expect(generatedTokens).toBe(11)
  })

  it('[T25] writes to all at once, more slowly the more there are, and not while it reads', () => {
    // The second is read for 0.1 s while the first waits; then both go at 0.02 s until the first has its last 5 tokens.
    const asked: Asked[] = [
      [0, 100, 11],
      [0.15, 100, 101],
    ]
    const { whole } = serveRequests(aModel(asked), [ALWAYS])
    const first = 0.1 + 0.05 + 0.1 + 5 * 0.02
    const second = 0.1 + 5 * 0.02 + 95 * 0.01
    expect(whole.mean).toBeCloseTo((first + second) / 2)
  })

  it('[T25] lets those wait for whom it has no room', () => {
    const asked = Array.from({ length: 4 }, (): Asked => [0, 100, 1001])
    const { firstToken, outcomes } = serveRequests(aModel(asked), [ALWAYS])
    expect(outcomes.answered).toBe(4)
    // Read at 0.1, 0.2 and 0.3 s; the fourth when the first has all, 1,000 tokens of 0.04 s later.
    expect(firstToken.mean).toBeCloseTo((0.1 + 0.2 + 0.3 + (0.3 + 40 + 0.1)) / 4, 1)
  })

  it("[T25] takes the planner's time for each token under the load that it was planned for", () => {
    const shape = modelByName('llama3-70b')
    const machine = machineByTemplate('nd-h100-v5:2')
    if (!shape.ok || !machine.ok) throw new Error('unknown')
    const mix = { inputTokens: 1000, outputTokens: 250, requestsPerSecond: 8 }
    const input = { shape: shape.value, machine: machine.value, precision: 'fp8' as const, mix }
    const plan = estimateServing(input)
    if (!plan.ok) throw new Error(plan.error)
    const replica = servingReplica(input, plan.value.gpusPerReplica)
    const random = randomStream(1, 'requests')
    let at = 0
    const asked = Array.from({ length: 20_000 }, (): Asked => {
      at += random.exponential(1 / mix.requestsPerSecond)
      return [at, mix.inputTokens, mix.outputTokens]
    })
    const service = {
      prefillSecondsPerToken: replica.prefillSeconds / mix.inputTokens,
      tokenSeconds: Array.from({ length: replica.memoryBatch }, (_, i) => replica.decode(i + 1).seconds),
    }
    const lives = Array.from({ length: plan.value.replicas }, () => ALWAYS)
    const { perToken, outcomes } = serveRequests(
      aModel(asked, { service, outstandingPerReplica: 1e6 }),
      lives,
    )
    expect(outcomes.answered).toBe(asked.length)
    expect(perToken.mean / plan.value.secondsPerToken).toBeGreaterThan(0.85)
    expect(perToken.mean / plan.value.secondsPerToken).toBeLessThan(1.15)
  })
})

describe('requests', () => {
  it('[T24] are refused while no replica is ready, and while all have as many as they may', () => {
    const crowd = Array.from({ length: 7 }, (): Asked => [10, 100, 1001])
    const { outcomes } = serveRequests(aModel([[1, 100, 10], ...crowd]), [{ readyAt: 5, endedAt: 1e6 }])
    expect(outcomes).toMatchObject({ asked: 8, unready: 1, answered: 4, busy: 3 })
  })

  it('[T24] go to another replica when theirs ends before it answered, and are broken off when it had begun', () => {
    const asked: Asked[] = [
      [0, 100, 5001],
      [0.1, 100, 5001],
      [0.11, 1000, 11],
    ]
    const lives = [
      { readyAt: 0, endedAt: 0.5 },
      { readyAt: 0.2, endedAt: 1e6 },
    ]
    const { outcomes } = serveRequests(aModel(asked), lives)
    expect(outcomes).toMatchObject({ asked: 3, brokenOff: 2, answered: 1 })
  })

  it('[T24] have one outcome each, whatever happens to the replicas, and the same again', () => {
    const random = randomStream(7, 'lives')
    const asked = Array.from({ length: 3000 }, (_, i): Asked => [i / 10, random.below(900), random.below(60)])
    const lives = Array.from({ length: 40 }, () => {
      const readyAt = 300 * random.next()
      return { readyAt, endedAt: readyAt + random.exponential(20) }
    })
    const play = () => serveRequests(aModel(asked), lives)
    const { outcomes, firstToken, whole } = play()
    const { asked: count, ...ends } = outcomes
    expect(count).toBe(3000)
    expect(Object.values(ends).reduce((sum, each) => sum + each, 0)).toBe(3000)
    expect(whole.count).toBe(outcomes.answered)
    expect(Object.values(ends).filter((each) => each > 0).length).toBeGreaterThan(3)
    const again = play()
    expect(again.outcomes).toEqual(outcomes)
    expect(again.firstToken.mean).toBe(firstToken.mean)
  })

  it('[T24] come again round by round for as long as was asked', () => {
    const model = aModel([[0.5, 10, 1]])
    const load = { ...model.load, roundS: 2, lastsS: 9, beginS: 3 }
    const { outcomes, parts } = serveRequests({ ...model, load }, [ALWAYS])
    expect(outcomes).toMatchObject({ asked: 5, answered: 5 })
    expect(parts.reduce((sum, part) => sum + part.asked, 0)).toBe(5)
  })
})

describe('Histogram', () => {
  it('tells quantiles and shares to 1 %', () => {
    const spans = new Histogram()
    for (let i = 1; i <= 10_000; i++) spans.add(i / 100)
    for (const share of [0.1, 0.5, 0.9, 0.99])
      expect(spans.quantile(share) / (share * 100)).toBeCloseTo(1, 1.7)
    expect(spans.shareWithin(25)).toBeCloseTo(0.25, 1.7)
    expect(new Histogram().quantile(0.5)).toBe(0)
  })
})
