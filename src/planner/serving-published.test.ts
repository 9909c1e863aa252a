import { describe, expect, it } from 'vitest'
import type { Precision } from './gpu.ts'
import { aMachine, aShape } from './planner-fixtures.ts'
import { estimateServing } from './serving.ts'

/** Lengths of requests and answers in tokens, in the order of the columns below. */
const LENGTHS = [
  [128, 128],
  [128, 2048],
  [128, 4096],
  [500, 2000],
  [1000, 1000],
  [1000, 2000],
  [2048, 128],
  [2048, 2048],
  [5000, 500],
  [20_000, 2000],
] as const

/**
 * Output tokens per second of one replica under full load, as NVIDIA prints them for TensorRT-LLM 1.0
 * (github.com/NVIDIA/TensorRT-LLM, docs/source/performance/perf-overview.md).
 */
const PUBLISHED: readonly (readonly [string, string, number, Precision, readonly number[]])[] = [
  ['llama3-8b', 'H100', 1, 'fp8', [28312, 22714, 14325, 17660, 15220, 13899, 3450, 9305, 3459, 1351]],
  ['llama3-8b', 'H200', 1, 'fp8', [27911, 26221, 18027, 20770, 17744, 16828, 3538, 12194, 3902, 1804]],
  ['llama3-70b', 'H100', 2, 'fp8', [6378, 6651, 4199, 5222, 4205, 4146, 762, 3082, 898, 437]],
  ['llama3-70b', 'H200', 1, 'fp8', [3803, 4336, 2872, 3666, 2909, 2994, 442, 2003, 566, 283]],
  ['llama3-70b', 'B200', 1, 'fp4', [11147, 9922, 6831, 7762, 7007, 6271, 1339, 4783, 1459, 665]],
  ['llama3.1-405b', 'H100', 8, 'fp8', [3627, 4340, 3116, 3994, 2919, 2895, 453, 2296, 610, 345]],
  ['llama3.1-405b', 'H200', 8, 'fp8', [3814, 5348, 4741, 4724, 3330, 3722, 456, 2948, 650, 505]],
  ['llama3.1-405b', 'B200', 4, 'fp4', [6281, 8020, 6345, 6244, 5209, 4933, 749, 4212, 1048, 672]],
  ['qwen3-235b-a22b', 'H200', 8, 'fp8', [30429, 42821, 26852, 28026, 23789, 22061, 3331, 16672, 3623, 1876]],
]

/** Errors of the estimated throughput as shares, by column. */
function errorsOf([model, gpu, gpusPerReplica, precision, measured]: (typeof PUBLISHED)[number]): number[] {
  return LENGTHS.map(([inputTokens, outputTokens], i) => {
    const plan = estimateServing({
      shape: aShape(model),
      machine: aMachine(gpu, 64),
      precision,
      gpusPerReplica,
      mix: { inputTokens, outputTokens, requestsPerSecond: 1e4 },
    })
    if (!plan.ok) throw new Error(plan.error)
    return plan.value.tokensPerSecondPerReplica / measured[i]! - 1
  })
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!

describe('throughput under full load, beside published figures', () => {
  it.each(PUBLISHED)(
    '%s on %s x %d in %s is right within a third, by the median of ten lengths',
    (...row) => {
      expect(median(errorsOf(row).map(Math.abs))).toBeLessThan(1 / 3)
    },
  )

  it('is right within a tenth by the median of all ninety, and not wrong to one side', () => {
    const all = PUBLISHED.flatMap(errorsOf)
    expect(median(all.map(Math.abs))).toBeLessThan(0.1)
    expect(Math.abs(median(all))).toBeLessThan(0.05)
  })
})
