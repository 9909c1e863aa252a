import { type Resolved, resolveConstants } from './calibration.ts'
import type { Machine, Precision } from './gpu.ts'
import { type LayerProfile, layerProfile } from './layer-profile.ts'
import { type MemoryBytes, memoryBytes } from './memory.ts'
import type { ModelShape } from './model-shape.ts'
import { type StepSeconds, stepSeconds } from './step.ts'
import { canCut, checkStrategy, type Recompute, type Strategy } from './strategy.ts'

/** What is asked of the search: the job, and whatever of the strategy is not free. */
export interface SearchInput {
  readonly shape: ModelShape
  readonly machine: Machine
  readonly globalBatch: number
  readonly precision: Precision
  readonly sequence?: number
  readonly software?: string
  readonly fixed?: Partial<Strategy>
  /** How many of the best to return; 5 where absent. */
  readonly keep?: number
  /** Share of a GPU's memory that a plan may fill; 0.94 where absent. */
  readonly memoryShare?: number
  readonly constants?: Resolved
}

export interface Candidate {
  readonly strategy: Strategy
  readonly step: StepSeconds
  readonly memory: MemoryBytes
}

export interface SearchResult {
  /** Best first; empty when nothing fits. */
  readonly best: readonly Candidate[]
  /** Strategies in the space, those whose time was worked out, and those that did not fit memory. */
  readonly considered: number
  readonly evaluated: number
  readonly tooLarge: number
  /** The strategy that comes nearest to fitting, when none does. */
  readonly nearest?: Candidate
}

interface Branch {
  readonly strategy: Strategy
  readonly profile: LayerProfile
  /** No strategy of this branch is faster: all work spread evenly over all ranks, nothing else. */
  readonly bound: number
}

/**
 * The fastest strategies that fit memory.
 * Branches share a layer's time (tensor, context, expert, micro-batch, recomputation); they are opened in the order of their
 * lower bound, and the search ends when the next bound is no better than the last strategy kept. Exact: nothing that is
 * skipped could have been kept.
 */
export function search(input: SearchInput): SearchResult {
  const { shape, machine } = input
  const constants = input.constants ?? resolveConstants(machine.gpu, input.software)
  const keep = input.keep ?? 5
  const limit = machine.gpu.memoryBytes * (input.memoryShare ?? 0.94)
  const branches = openBranches(input, constants)
  branches.sort((a, b) => a.bound - b.bound)

  const best: Candidate[] = []
  let considered = 0
  let evaluated = 0
  let tooLarge = 0
  let nearest: Candidate | undefined
  for (const branch of branches) {
    for (const strategy of leaves(input, branch.strategy)) {
      considered++
      const worst = best.length >= keep ? best[best.length - 1]!.step.total : Number.POSITIVE_INFINITY
      if (branch.bound >= worst) continue
      const step = stepSeconds(shape, machine, strategy, constants, branch.profile)
      evaluated++
      if (step.total >= worst) continue
      const memory = memoryBytes(shape, machine, strategy, constants)
      if (memory.total > limit) {
        tooLarge++
        if (!nearest || memory.total < nearest.memory.total) nearest = { strategy, step, memory }
        continue
      }
      insert(best, { strategy, step, memory }, keep)
    }
  }
  return { best, considered, evaluated, tooLarge, ...(best.length === 0 && nearest && { nearest }) }
}

function insert(best: Candidate[], candidate: Candidate, keep: number): void {
  let at = best.length
  while (at > 0 && best[at - 1]!.step.total > candidate.step.total) at--
  best.splice(at, 0, candidate)
  if (best.length > keep) best.pop()
}

function openBranches(input: SearchInput, constants: Resolved): Branch[] {
  const { shape, machine, globalBatch } = input
  const fixed = input.fixed ?? {}
  const sequence = input.sequence ?? shape.sequence
  const trains = fixed.trains ?? 'all'
  const branches: Branch[] = []
  const world = machine.gpuCount
  for (const tensor of choices(fixed.tensor, divisors(Math.min(world, machine.nvlinkDomain, 16)))) {
    if (shape.heads % tensor !== 0 || world % tensor !== 0) continue
    for (const context of choices(fixed.context, contextChoices(sequence))) {
      if (world % (tensor * context) !== 0 || sequence % context !== 0) continue
      for (const expert of choices(fixed.expert, expertChoices(shape))) {
        for (const expertTensor of choices(fixed.expertTensor, [1])) {
          for (const microBatch of choices(fixed.microBatch, [1, 2, 3, 4, 6, 8, 12, 16, 24, 32])) {
            if (globalBatch % microBatch !== 0) continue
            for (const recompute of choices<Recompute>(fixed.recompute, ['none', 'full'])) {
              const strategy: Strategy = {
                tensor,
                context,
                pipeline: 1,
                interleave: 1,
                expert,
                expertTensor,
                microBatch,
                globalBatch,
                sequence,
                sharding: 1,
                recompute,
                sequenceParallel: fixed.sequenceParallel ?? tensor > 1,
                precision: input.precision,
                trains,
                ...(fixed.shardGroup && { shardGroup: fixed.shardGroup }),
                ...(fixed.documentTokens && { documentTokens: fixed.documentTokens }),
              }
              const profile = layerProfile(shape, machine, strategy, constants)
              const layer = profile.forwardSeconds + profile.backwardSeconds
              const head = profile.headForward + profile.headBackward
              const work =
                (shape.layers + shape.predictionLayers) * layer + (1 + shape.predictionLayers) * head
              const bound = (work * globalBatch * tensor * context) / (microBatch * world)
              branches.push({ strategy, profile, bound })
            }
          }
        }
      }
    }
  }
  return branches
}

function* leaves(input: SearchInput, branch: Strategy): Generator<Strategy> {
  const { shape, machine, globalBatch } = input
  const fixed = input.fixed ?? {}
  const ranks = machine.gpuCount / (branch.tensor * branch.context)
  for (const pipeline of choices(fixed.pipeline, divisors(Math.min(ranks, shape.layers)))) {
    const data = ranks / pipeline
    if (!Number.isInteger(data) || globalBatch % (data * branch.microBatch) !== 0) continue
    const stageRanks = branch.tensor * branch.context * data
    if (branch.expert > 1 && stageRanks % (branch.expert * branch.expertTensor) !== 0) continue
    const micro = globalBatch / (data * branch.microBatch)
    for (const interleave of choices(fixed.interleave, interleaveChoices(shape, pipeline, micro))) {
      if (pipeline > 1 && !canCut(shape, pipeline, interleave)) continue
      for (const sharding of choices(fixed.sharding, shardingChoices(data * branch.context, pipeline))) {
        yield { ...branch, pipeline, interleave, sharding }
      }
    }
  }
}

function choices<Value>(fixed: Value | undefined, free: readonly Value[]): readonly Value[] {
  return fixed === undefined ? free : [fixed]
}

function divisors(limit: number): number[] {
  const all: number[] = []
  for (let n = 1; n <= limit; n++) all.push(n)
  return all
}

function contextChoices(sequence: number): number[] {
  const all = [1]
  for (let n = 2; sequence / n >= 2048 && n <= 64; n *= 2) all.push(n)
  return all
}

function expertChoices(shape: ModelShape): number[] {
  if (!shape.experts) return [1]
  const all: number[] = []
  for (let n = 1; n <= shape.experts.count; n *= 2) if (shape.experts.count % n === 0) all.push(n)
  return all
}

function interleaveChoices(shape: ModelShape, pipeline: number, micro: number): number[] {
  if (pipeline === 1) return [1]
  const all = [1]
  // Interleaving needs micro-batches in whole rounds of the pipeline (arXiv 2104.04473, section 2.2.2).
  if (micro % pipeline !== 0) return all
  for (let n = 2; n * pipeline <= shape.layers + 2; n++) {
    if (shape.layers % (n * pipeline) === 0 || (shape.layers + shape.predictionLayers + 2) % (n * pipeline) === 0) all.push(n)
  }
  return all
}

function shardingChoices(dataRanks: number, pipeline: number): (1 | 3)[] {
  return dataRanks > 1 && pipeline === 1 ? [1, 3] : [1]
}

/** One strategy worked out: its time and memory, without looking for better ones. */
export function estimateStep(
  shape: ModelShape,
  machine: Machine,
  strategy: Strategy,
  constants: Resolved = resolveConstants(machine.gpu),
): Candidate {
  return {
    strategy,
    step: stepSeconds(shape, machine, strategy, constants),
    memory: memoryBytes(shape, machine, strategy, constants),
  }
}

export { checkStrategy }
