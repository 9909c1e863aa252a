import { describe, expect, it } from 'vitest'
import { parseSpec } from '../model/spec/index.ts'
import { kneeOf, planCurve, usualCounts } from './curve.ts'
import { DEFAULT_FAILURES, failuresFromLog, reliabilityOf } from './failures.ts'
import { finerCounts, planForGoal } from './goal.ts'
import { aMachine, aShape } from './planner-fixtures.ts'
import { planRun, type RunInput, type RunPlan, usualBatch } from './run.ts'
import { specFile } from './spec-file.ts'

const input: RunInput = {
  shape: aShape('llama3-70b'),
  machine: aMachine('H100', 2048),
  tokens: 15e12,
  precision: 'bf16',
}

function planned(changes: Partial<RunInput> = {}): RunPlan {
  const plan = planRun({ ...input, ...changes })
  if (!plan.ok) throw new Error(plan.error)
  return plan.value
}

describe('planRun', () => {
  it('takes Llama 3 70B over 15 trillion tokens a few million H100-hours (its model card says 7.0, restarts and all)', () => {
    const plan = planned()
    expect(plan.gpuHours).toBeGreaterThan(3.5e6)
    expect(plan.gpuHours).toBeLessThan(7e6)
    expect(plan.modelFlopsUtilisation).toBeGreaterThan(0.35)
    expect(plan.modelFlopsUtilisation).toBeLessThan(0.65)
    expect(plan.runnersUp).toHaveLength(4)
    expect(plan.steps).toBe(Math.ceil(15e12 / (plan.candidate.strategy.globalBatch * 8192)))
    expect(plan.wallSeconds).toBeGreaterThan(plan.trainingSeconds)
    expect(plan.dollars).toBeCloseTo(plan.gpuHours * input.machine.gpu.dollarsPerHour)
  })

  it('says by how much memory is short', () => {
    expect(planRun({ ...input, machine: aMachine('H100', 8) })).toMatchObject({
      ok: false,
      error: expect.stringMatching(/does not fit 8 x H100.*GiB of 80 GiB/),
    })
  })

  it('says what cannot be in what is fixed', () => {
    expect(planRun({ ...input, fixed: { tensor: 3 } })).toMatchObject({
      ok: false,
      error: expect.stringMatching(/divisible/),
    })
    expect(planRun({ ...input, machine: aMachine('A100', 512), precision: 'fp8' })).toMatchObject({
      ok: false,
      error: expect.stringMatching(/no FP8/),
    })
  })

  it('uses a batch of about four million tokens that the GPUs divide', () => {
    expect(usualBatch(8, 8192)).toBe(512)
    expect(usualBatch(2048, 8192) % 512).toBe(0)
    expect(usualBatch(96, 2048) % 96).toBe(0)
    expect(usualBatch(991 * 8, 8192)).toBe(991)
    expect(usualBatch(1000 * 8, 8192)).toBe(500)
  })
})

describe('reliabilityOf', () => {
  it('is best at the interval that the formula gives', () => {
    const best = reliabilityOf(256, 1e7, 70e9)
    const { writeSeconds: w, everySeconds: d } = best.checkpoint
    const rate = (256 * DEFAULT_FAILURES.failuresPerNodeDay) / 86_400
    expect(d).toBeCloseTo(Math.sqrt((2 * w) / rate), 6)
    const share = (every: number) => (1 - rate * (600 + every / 2)) / (1 + w / every)
    expect(best.productiveShare).toBeCloseTo(share(d), 12)
    expect(share(d * 2)).toBeLessThan(share(d))
    expect(share(d / 2)).toBeLessThan(share(d))
  })

  it('comes to the failure each 3.1 hours that Llama 3 saw on 2,048 nodes (arXiv 2407.21783, section 3.3.4)', () => {
    const llama = failuresFromLog({ failures: 419, nodeDays: 2048 * 54 })
    expect(reliabilityOf(2048, 54 * 86_400, 405e9, llama).meanSecondsBetweenFailures / 3600).toBeCloseTo(
      3.1,
      1,
    )
  })

  it('reads a failure rate off a machine of one’s own, however short its log', () => {
    expect(failuresFromLog({ failures: 419, nodeDays: 2048 * 54 }).failuresPerNodeDay).toBeCloseTo(3.79e-3, 5)
    expect(failuresFromLog({ failures: 0, nodeDays: 10 }).failuresPerNodeDay).toBeGreaterThan(0)
    expect(failuresFromLog({ failures: 0, nodeDays: 0 })).toEqual(DEFAULT_FAILURES)
  })
})

describe('planCurve', () => {
  it('takes less time and no less money with more GPUs, and has its knee on the way', () => {
    const { points, knee } = planCurve(input, [256, 512, 1024, 2048])
    for (let i = 1; i < points.length; i++) {
      expect(points[i]!.wallSeconds).toBeLessThan(points[i - 1]!.wallSeconds)
    }
    expect(knee).toBeGreaterThanOrEqual(0)
    expect(knee).toBeLessThan(points.length)
  })

  it('finds where more GPUs save less than they cost', () => {
    const at = (gpuCount: number, wallSeconds: number) =>
      ({ machine: { ...input.machine, gpuCount }, wallSeconds, dollars: gpuCount * wallSeconds }) as RunPlan
    expect(kneeOf([at(8, 800), at(16, 400), at(32, 200), at(64, 180), at(128, 170)])).toBe(2)
    expect(kneeOf([at(8, 800), at(16, 400), at(32, 200)])).toBe(2)
  })

  it('counts in doublings up to the machine', () => {
    expect(usualCounts(aMachine('H100', 48))).toEqual([8, 16, 32, 48])
    expect(usualCounts(aMachine('H100', 4))).toEqual([4])
  })
})

describe('planForGoal', () => {
  it('takes the cheapest size that is in time at the slow end of the band', () => {
    const plan = planForGoal({ ...input, tokens: 1e12 }, { withinSeconds: 60 * 86_400 })
    if (!plan.ok) throw new Error(plan.error)
    expect(plan.value.wallSeconds * (1 + plan.value.relativeError)).toBeLessThanOrEqual(60 * 86_400)
    expect(plan.value.machine.gpuCount).toBeLessThan(2048)
  })

  it('takes the fastest size that a budget alone allows, and the knee where nothing is asked', () => {
    const run = { ...input, tokens: 1e12 }
    const { points, knee } = planCurve(run, finerCounts(run))
    const rich = planForGoal(run, { dollars: 1e9 })
    const fastest = points.reduce((a, b) => (b.wallSeconds < a.wallSeconds ? b : a))
    expect(rich).toMatchObject({ ok: true, value: { machine: { gpuCount: fastest.machine.gpuCount } } })
    expect(planForGoal(run, {})).toMatchObject({
      value: { machine: { gpuCount: points[knee]!.machine.gpuCount } },
    })
  })

  it('says by how much time or money is short', () => {
    expect(planForGoal(input, { withinSeconds: 86_400 })).toMatchObject({
      ok: false,
      error: expect.stringMatching(/not within 1.0 days: the fastest of these sizes, 2048 GPUs/),
    })
    expect(planForGoal(input, { dollars: 1000 })).toMatchObject({
      ok: false,
      error: expect.stringMatching(/not for \$1,000: the cheapest size/),
    })
  })
})

describe('specFile', () => {
  it('is a spec that banyan run takes', () => {
    const plan = planned({ machine: aMachine('H100', 512), tokens: 1e12 })
    const parsed = parseSpec(specFile(plan), { file: 'plan.yaml', folder: '/home/ada' })
    expect(parsed).toMatchObject({ ok: true })
  })
})
