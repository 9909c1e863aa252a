import { describe, expect, it } from 'vitest'
import { CALIBRATION, type Calibration, DEFAULT_SOFTWARE, resolveConstants } from './calibration.ts'
import { aMachine } from './planner-fixtures.ts'

const { gpu } = aMachine('H100', 8)

/** The calibration with factors of every kind on one constant. */
const layered: Calibration = {
  ...CALIBRATION,
  architectures: { hopper: { network: 2 } },
  gpus: { [gpu.name]: { network: 3 } },
  families: { megatron: { network: 5, dataExposed: 1000 } },
  software: CALIBRATION.software.map((entry) => ({ ...entry, factors: { network: 7 } })),
}

describe('resolveConstants', () => {
  it('is the base times the factors of architecture, GPU, family and generation', () => {
    const { network, memory } = resolveConstants(gpu, DEFAULT_SOFTWARE, layered)
    expect(network).toBeCloseTo(CALIBRATION.base.network * 2 * 3 * 5 * 7)
    expect(memory).toBe(CALIBRATION.base.memory)
  })

  it('exposes no more of an exchange than all of it', () => {
    expect(resolveConstants(gpu, DEFAULT_SOFTWARE, layered).dataExposed).toBe(1)
  })

  it('takes an unknown software for the newest general one', () => {
    expect(resolveConstants(gpu, 'something-new')).toEqual(resolveConstants(gpu, DEFAULT_SOFTWARE))
  })

  it('takes the attention of the kernel and the architecture', () => {
    const attention = { ...CALIBRATION.attention, flash3: { ...CALIBRATION.attention.flash3, hopper: 0.5 } }
    const software = layered.software.map((entry) => ({
      ...entry,
      attention: 'flash3' as const,
      factors: {},
    }))
    expect(resolveConstants(gpu, DEFAULT_SOFTWARE, { ...layered, attention, software }).attention).toBe(0.5)
  })

  it('has few numbers: a share of every kernel on every architecture, and factors that say something', () => {
    for (const shares of Object.values(CALIBRATION.attention)) {
      for (const share of Object.values(shares)) {
        expect(share).toBeGreaterThan(0.1)
        expect(share).toBeLessThan(0.9)
      }
    }
    const factors = CALIBRATION.software.flatMap((entry) => Object.values(entry.factors))
    expect(factors.length).toBeLessThan(120)
    for (const factor of factors) expect(Math.abs(Math.log(factor))).toBeGreaterThan(0.03)
  })
})
