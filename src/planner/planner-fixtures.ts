import { present } from '../base/index.ts'
import { modelByName } from './catalogue.ts'
import { gpuByName, type Machine, machineOf } from './gpu.ts'
import type { ModelShape } from './model-shape.ts'
import type { Strategy } from './strategy.ts'

/** Builders for tests. */
export function aShape(name = 'llama3-8b'): ModelShape {
  const found = modelByName(name)
  return present(found.ok ? found.value : undefined, `model ${name}`)
}

export function aMachine(gpu = 'H100', gpuCount = 64, links: Partial<Machine> = {}): Machine {
  const found = gpuByName(gpu)
  return machineOf(present(found.ok ? found.value : undefined, `GPU ${gpu}`), gpuCount, links)
}

export function aStrategy(changes: Partial<Strategy> = {}): Strategy {
  return {
    tensor: 1,
    context: 1,
    pipeline: 1,
    interleave: 1,
    expert: 1,
    expertTensor: 1,
    microBatch: 1,
    globalBatch: 512,
    sequence: 8192,
    sharding: 1,
    recompute: 'none',
    sequenceParallel: (changes.tensor ?? 1) > 1,
    precision: 'bf16',
    trains: 'all',
    ...changes,
  }
}
