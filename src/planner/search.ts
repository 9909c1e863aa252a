import { type Resolved, resolveConstants } from './calibration.ts'
import type { Machine, Precision } from './gpu.ts'
import { type LayerProfile, layerProfile } from './layer-profile.ts'
import { type MemoryBytes, memoryBytes } from './memory.ts'
import type { ModelShape } from './model-shape.ts'
import { type StepSeconds, stepSeconds } from './step.ts'
import { canCut, canSplit, type Recompute, type Strategy } from './strategy.ts'

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
  /** Constants that take the place of those of the software. */
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
  /** Strategies in the space, and those whose time was worked out. */
  readonly considered: number
  readonly evaluated: number
  /** The strategy that comes nearest to fitting memory, when none does. */
  readonly nearest?: Candidate
}

/** Strategies that share the time of a layer. */
export interface Branch {
  readonly strategy: Strategy
  readonly profile: LayerProfile
  /** No strategy of this branch is faster: all work spread evenly over all ranks, and nothing else. */
  readonly bound: number
}

const MEMORY_SHARE = 0.94

/**
 * The fastest strategies that fit memory.
 * Branches share a layer's time (tensor, context, expert, micro-batch, recomputation); they are opened in the order of their
 * lower bound, and a branch whose bound is no better than the last strategy kept is only counted. Exact: nothing that is
 * skipped could have been kept.
 */
export function search(input: SearchInput): SearchResult {
  const { shape, machine } = input
  const constants = input.constants ?? resolveConstants(machine.gpu, input.software)
  const keep = input.keep ?? 5
  const limit = machine.gpu.memoryBytes * (input.memoryShare ?? MEMORY_SHARE)
  const best: Candidate[] = []
  let considered = 0
  let evaluated = 0
  let nearest: Candidate | undefined
  for (const branch of branches(input, constants)) {
    for (const strategy of leaves(input, branch.strategy)) {
      considered++
      const worst = best.length >= keep ? best[best.length - 1]!.step.total : Number.POSITIVE_INFINITY
      if (branch.bound >= worst) continue
      const step = stepSeconds(shape, machine, strategy, constants, branch.profile)
      evaluated++
      if (step.total >= worst) continue
      const memory = memoryBytes(shape, machine, strategy, constants)
      if (memory.total <= limit) insert(best, { strategy, step, memory }, keep)
      else if (best.length === 0 && memory.total < (nearest?.memory.total ?? Number.POSITIVE_INFINITY)) {
        nearest = { strategy, step, memory }
      }
    }
  }
  return { best, considered, evaluated, ...(best.length === 0 && nearest && { nearest }) }
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

function insert(best: Candidate[], candidate: Candidate, keep: number): void {
  let at = best.length
  while (at > 0 && best[at - 1]!.step.total > candidate.step.total) at--
  best.splice(at, 0, candidate)
  if (best.length > keep) best.pop()
}

const MICRO_BATCHES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]
const RECOMPUTE: readonly Recompute[] = ['none', 'full']

/** The branches of a search in the order of their bounds. */
export function branches(input: SearchInput, constants: Resolved): Branch[] {
  const { shape, machine, globalBatch } = input
  const fixed = input.fixed ?? {}
  const sequence = input.sequence ?? shape.sequence
  const rarities = rareFields(fixed)
  const all: Branch[] = []
  const world = machine.gpuCount
  for (const tensor of choices(fixed.tensor, upTo(Math.min(world, machine.nvlinkDomain, 16)))) {
    if (!canSplit(shape, tensor) || world % tensor !== 0) continue
    for (const context of choices(fixed.context, contextChoices(sequence))) {
      if (world % (tensor * context) !== 0 || sequence % context !== 0) continue
      for (const expert of choices(fixed.expert, expertChoices(shape))) {
        for (const microBatch of choices(fixed.microBatch, MICRO_BATCHES)) {
          if (globalBatch % microBatch !== 0) continue
          for (const recompute of choices(fixed.recompute, RECOMPUTE)) {
            const plain: Strategy = {
              tensor,
              context,
              pipeline: 1,
              interleave: 1,
              expert,
              expertTensor: fixed.expertTensor ?? 1,
              microBatch,
              globalBatch,
              sequence,
              sharding: 1,
              recompute,
              sequenceParallel: fixed.sequenceParallel ?? tensor > 1,
              precision: input.precision,
              trains: fixed.trains ?? 'all',
            }
            const strategy = rarities ? { ...plain, ...rarities } : plain
            const profile = layerProfile(shape, machine, strategy, constants)
            const layer = profile.forwardSeconds + profile.backwardSeconds
            const head = profile.headForward + profile.headBackward
            const work = (shape.layers + shape.predictionLayers) * layer + (1 + shape.predictionLayers) * head
            const bound = (work * globalBatch * tensor * context) / (microBatch * world)
            all.push({ strategy, profile, bound })
          }
        }
      }
    }
  }
  return all.sort((a, b) => a.bound - b.bound)
}

/** Fields that few searches fix. Left out of the others' strategies, which then share one object layout and are fast to read. */
function rareFields(fixed: Partial<Strategy>): Partial<Strategy> | undefined {
  const { shardGroup, documentTokens, gradientBytes } = fixed
  if (!shardGroup && !documentTokens && !gradientBytes) return undefined
  return {
    ...(shardGroup && { shardGroup }),
    ...(documentTokens && { documentTokens }),
    ...(gradientBytes && { gradientBytes }),
  }
}

/** The strategies of a branch: how many stages, chunks and shards. */
export function* leaves(input: SearchInput, branch: Strategy): Generator<Strategy> {
  const { shape, machine, globalBatch } = input
  const fixed = input.fixed ?? {}
  const ranks = machine.gpuCount / (branch.tensor * branch.context)
  for (const pipeline of choices(fixed.pipeline, upTo(Math.min(ranks, shape.layers)))) {
    const data = ranks / pipeline
    const micro = globalBatch / (data * branch.microBatch)
    if (!Number.isInteger(data) || !Number.isInteger(micro)) continue
    const stageRanks = branch.tensor * branch.context * data
    if (branch.expert > 1 && stageRanks % (branch.expert * branch.expertTensor) !== 0) continue
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

function upTo(limit: number): number[] {
  return Array.from({ length: limit }, (_, i) => i + 1)
}

/** Splitting a sequence below about 2,048 tokens a rank only adds traffic. */
function contextChoices(sequence: number): number[] {
  const all = [1]
  for (let n = 2; sequence / n >= 2048 && n <= 64; n *= 2) all.push(n)
  return all
}

function expertChoices(shape: ModelShape): number[] {
  const count = shape.experts?.count ?? 1
  const all: number[] = []
  for (let n = 1; n <= count; n *= 2) if (count % n === 0) all.push(n)
  return all
}

/** Interleaving needs micro-batches in whole rounds of the pipeline (arXiv 2104.04473, section 2.2.2). */
function interleaveChoices(shape: ModelShape, pipeline: number, micro: number): number[] {
  const all = [1]
  if (pipeline === 1 || micro % pipeline !== 0) return all
  const layers = shape.layers + shape.predictionLayers
  for (let n = 2; n * pipeline <= layers + 2; n++) {
    if (layers % (n * pipeline) === 0 || (layers + 2) % (n * pipeline) === 0) all.push(n)
  }
  return all
}

const SHARDED: readonly Strategy['sharding'][] = [1, 2, 3]
const UNSHARDED: readonly Strategy['sharding'][] = [1]

/** Sharded gradients or weights are exchanged for each micro-batch, which only pays without a pipeline. */
function shardingChoices(dataRanks: number, pipeline: number): readonly Strategy['sharding'][] {
  return dataRanks > 1 && pipeline === 1 ? SHARDED : UNSHARDED
}
