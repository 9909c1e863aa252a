import { describe, expect, it } from 'vitest'
import { aMachine, aShape } from './planner-fixtures.ts'
import { cacheBytesPerToken, estimateServing, type ServingInput } from './serving.ts'

const input: ServingInput = {
  shape: aShape('llama3-70b'),
  machine: aMachine('H100', 64),
  precision: 'fp8',
  mix: { inputTokens: 1000, outputTokens: 300, requestsPerSecond: 10 },
}

function planned(changes: Partial<ServingInput> = {}) {
  const plan = estimateServing({ ...input, ...changes })
  if (!plan.ok) throw new Error(plan.error)
  return plan.value
}

describe('cacheBytesPerToken', () => {
  it('is 320 KiB a token for Llama 3 70B in BF16, and 70 KB for DeepSeek-V3 (arXiv 2505.09343, table 1)', () => {
    expect(cacheBytesPerToken(aShape('llama3-70b'), 'bf16')).toBe(2 * 8 * 128 * 80 * 2)
    expect(cacheBytesPerToken(aShape('deepseek-v3'), 'bf16') / 1000).toBeCloseTo(70.272, 3)
  })
})

describe('estimateServing', () => {
  it('carries the load with replicas to spare', () => {
    const plan = planned()
    expect(plan.replicas * plan.requestsPerSecondPerReplica).toBeGreaterThanOrEqual(10)
    expect(plan.weightBytesPerGpu * plan.gpusPerReplica).toBeCloseTo(70.55e9, -8)
    expect(plan.batch).toBeLessThanOrEqual(plan.memoryBatch)
    expect(plan.dollarsPerMillionTokens).toBeCloseTo((plan.dollarsPerHour / 3600 / 3000) * 1e6)
  })

  it('cannot decode one request faster than its weights can be read', () => {
    const plan = planned({ gpusPerReplica: 8, mix: { ...input.mix, requestsPerSecond: 0.01 } })
    expect(plan.secondsPerToken).toBeGreaterThan(70.55e9 / 8 / 3.35e12)
    expect(plan.limit).not.toBe('compute')
  })

  it('keeps to latencies with smaller batches or more GPUs, and costs more', () => {
    const free = planned()
    const quick = planned({ mix: { ...input.mix, maxSecondsPerToken: free.secondsPerToken * 0.6 } })
    expect(quick.secondsPerToken).toBeLessThanOrEqual(free.secondsPerToken * 0.6)
    expect(quick.dollarsPerHour).toBeGreaterThanOrEqual(free.dollarsPerHour)
  })

  it('never needs more replicas of a GPU with more memory bandwidth', () => {
    const faster = { ...input.machine, gpu: { ...input.machine.gpu, memoryBandwidth: 6.7e12 } }
    expect(planned({ machine: faster, gpusPerReplica: 4 }).replicas).toBeLessThanOrEqual(
      planned({ gpusPerReplica: 4 }).replicas,
    )
  })

  it('says when a model is too large, or too slow', () => {
    expect(estimateServing({ ...input, precision: 'bf16', gpusPerReplica: 1 })).toMatchObject({
      ok: false,
      error: expect.stringMatching(/fits no replica/),
    })
    expect(estimateServing({ ...input, mix: { ...input.mix, maxSecondsPerToken: 1e-4 } })).toMatchObject({
      ok: false,
      error: expect.stringMatching(/within the latencies/),
    })
  })
})
