import { performance } from 'node:perf_hooks'
import {
  branches,
  gpuByName,
  leaves,
  machineOf,
  memoryBytes,
  modelByName,
  resolveConstants,
  type SearchInput,
  search,
  stepSeconds,
} from '../../../src/planner/index.ts'

export interface SearchTiming {
  readonly model: string
  readonly gpus: number
  readonly considered: number
  readonly evaluated: number
  readonly milliseconds: number
  readonly best: string
  readonly stepSeconds: number
}

/** Times of the search of GPT-3 175B on H100s with BF16, cold code included. */
export function timeSearches(): SearchTiming[] {
  return [512, 10_752].map((gpus) => {
    const input = searchInput(gpus)
    const start = performance.now()
    const found = search(input)
    const milliseconds = performance.now() - start
    const best = found.best[0]!
    const { tensor, context, pipeline, interleave, microBatch, recompute } = best.strategy
    return {
      model: input.shape.name,
      gpus,
      considered: found.considered,
      evaluated: found.evaluated,
      milliseconds,
      best: `tp${tensor} cp${context} pp${pipeline} vp${interleave} mb${microBatch} ${recompute}`,
      stepSeconds: best.step.total,
    }
  })
}

/** Strategies for each CPU-second whose time and memory are worked out in full, without skipping any; a second and a half of them. */
export function configurationsPerSecond(): number {
  const input = searchInput(512)
  const constants = resolveConstants(input.machine.gpu)
  let count = 0
  let checksum = 0
  const spent = () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  }
  const start = spent()
  do {
    for (const branch of branches(input, constants)) {
      for (const strategy of leaves(input, branch.strategy)) {
        checksum += stepSeconds(input.shape, input.machine, strategy, constants, branch.profile).total
        checksum += memoryBytes(input.shape, input.machine, strategy, constants).total
        count++
      }
    }
  } while (spent() - start < 1.5)
  if (!Number.isFinite(checksum)) throw new Error('a strategy came out without a time')
  return count / (spent() - start)
}

function searchInput(gpus: number): SearchInput {
  const shape = modelByName('gpt3-175b')
  const gpu = gpuByName('H100')
  if (!shape.ok || !gpu.ok) throw new Error('the catalogue lacks gpt3-175b or H100')
  // 10,752 = 2^9 x 3 x 7: a batch that its divisors divide.
  return {
    shape: shape.value,
    machine: machineOf(gpu.value, gpus),
    globalBatch: gpus === 512 ? 1536 : 10_752,
    precision: 'bf16',
  }
}
