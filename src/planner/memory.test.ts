import { describe, expect, it } from 'vitest'
import { resolveConstants } from './calibration.ts'
import { activationBytesPerToken, memoryBytes } from './memory.ts'
import { countParameters } from './parameters.ts'
import { aMachine, aShape, aStrategy } from './planner-fixtures.ts'

describe('memoryBytes', () => {
  it('keeps 18 bytes a parameter without sharding: weights 2, FP32 gradients 4, Adam 12 (arXiv 1910.02054, section 3.1)', () => {
    const machine = aMachine('H100', 8)
    const memory = memoryBytes(aShape(), machine, aStrategy({ sharding: 0 }), resolveConstants(machine.gpu))
    const parameters = countParameters(aShape()).total
    expect(memory.weights / parameters).toBeCloseTo(2, 2)
    expect(memory.gradients / parameters).toBeCloseTo(4, 2)
    expect(memory.optimizer / parameters).toBeCloseTo(12, 2)
  })

  it('divides by the data ranks what each ZeRO stage shards', () => {
    const machine = aMachine('H100', 64)
    const constants = resolveConstants(machine.gpu)
    const at = (sharding: 0 | 1 | 2 | 3) => memoryBytes(aShape(), machine, aStrategy({ sharding }), constants)
    expect(at(0).optimizer / at(1).optimizer).toBeCloseTo(64)
    expect(at(1).gradients / at(2).gradients).toBeCloseTo(64)
    expect(at(2).weights / at(3).weights).toBeGreaterThan(4)
    expect(at(3).optimizer).toBe(at(1).optimizer)
  })

  // arXiv 2205.05198, table 2: a layer keeps s b h (34 + 5 a s / h) bytes, 10 + 24/t + 5as/ht with tensor parallelism,
  // (34 + 5as/h) / t with sequence parallelism too, and 34 / t when the attention core is recomputed.
  describe('activations of GPT-3 175B at 8 tensor ranks', () => {
    const shape = aShape('gpt3-175b')
    const constants = resolveConstants(aMachine('A100').gpu, 'megatron-2021')
    const { hidden: h, heads: a, sequence: s } = shape
    const at = (sequenceParallel: boolean, recompute: 'none' | 'selective') =>
      activationBytesPerToken(
        shape,
        aStrategy({ tensor: 8, sequence: s, sequenceParallel, recompute }),
        constants,
      ) / h

    it.each([
      ['tensor parallel', false, 'none', 10 + 24 / 8 + (5 * a * s) / h / 8],
      ['and sequence parallel', true, 'none', 34 / 8 + (5 * a * s) / h / 8],
      ['and recomputing the core', true, 'selective', 34 / 8],
    ] as const)('%s', (_, sequenceParallel, recompute, paper) => {
      expect(Math.abs(at(sequenceParallel, recompute) / paper - 1)).toBeLessThan(0.06)
    })
  })

  it('holds as many micro-batches on the first stage as there are stages, and more when interleaved', () => {
    const machine = aMachine('H100', 64)
    const constants = resolveConstants(machine.gpu)
    const shape = aShape('llama3-70b')
    const at = (interleave: number) =>
      memoryBytes(shape, machine, aStrategy({ tensor: 8, pipeline: 4, interleave }), constants).activations
    const one = activationBytesPerToken(shape, aStrategy({ tensor: 8 }), constants) * 8192 * 20
    expect(at(1) / one).toBeCloseTo(4)
    expect(at(5) / one).toBeCloseTo(4 + 3 / 5)
  })

  // Published peaks of Llama 3 8B under torchtitan (docs of 2024-12: 8 GPUs, batch 2 of 8,192, selective recomputation).
  it('comes near a measured peak of 77 GiB', () => {
    const machine = aMachine('H100-96', 8)
    const memory = memoryBytes(
      aShape(),
      machine,
      aStrategy({ sharding: 3, microBatch: 2, globalBatch: 16, recompute: 'selective' }),
      resolveConstants(machine.gpu, 'torch-fsdp2'),
    )
    expect(Math.abs(memory.total / 2 ** 30 / 77 - 1)).toBeLessThan(0.1)
  })
})
