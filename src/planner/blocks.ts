import { exchangeSeconds, groupOf } from './collectives.ts'
import { mambaScanFlops } from './flops.ts'
import { BYTES, matmulSeconds, memoryRate, type RankWork } from './kernels.ts'

/** What one block's forward pass takes of a GPU, in seconds, and how many kernels the host starts for it. The attention core is left out. */
export interface BlockCost {
  matmul: number
  memory: number
  /** Sending tokens to their experts and back, before any is hidden. */
  exchange: number
  kernels: number
}

/** Kernels of one block's forward pass in a fused implementation: norm, multiplies, activation or core, residual. */
const KERNELS = { attention: 8, unfusedCore: 5, mlp: 6, moe: 24, mamba: 14, cast: 3, collective: 2 } as const

/** The forward cost of all blocks of a model on one rank. */
export function blockCosts(work: RankWork): BlockCost {
  const { blocks } = work.shape
  const sum = { matmul: 0, memory: 0, exchange: 0, kernels: 0 }
  if (blocks.attention > 0) add(sum, blocks.attention, attentionBlock(work))
  if (blocks.mlp > 0) add(sum, blocks.mlp, mlpBlock(work))
  if (blocks.moe > 0) add(sum, blocks.moe, expertBlock(work))
  if (blocks.mamba > 0) add(sum, blocks.mamba, mambaBlock(work))
  return sum
}

function add(sum: BlockCost, count: number, cost: BlockCost): void {
  sum.matmul += count * cost.matmul
  sum.memory += count * cost.memory
  sum.exchange += count * cost.exchange
  sum.kernels += count * cost.kernels
}

function attentionBlock(work: RankWork): BlockCost {
  const { shape, strategy, constants, tokens } = work
  const { hidden, headDim } = shape
  const { tensor } = strategy
  const latent = shape.latentAttention
  const ownHeads = shape.heads / tensor
  let seconds: number
  let width: number
  if (latent) {
    const queryWidth = ownHeads * (latent.nopeDim + latent.ropeDim)
    const upWidth = ownHeads * (latent.nopeDim + latent.valueDim)
    const query = latent.queryRank
      ? multiply(work, latent.queryRank, hidden) + multiply(work, queryWidth, latent.queryRank)
      : multiply(work, queryWidth, hidden)
    seconds =
      query +
      multiply(work, latent.keyValueRank + latent.ropeDim, hidden) +
      multiply(work, upWidth, latent.keyValueRank) +
      multiply(work, hidden, ownHeads * latent.valueDim)
    width = queryWidth + upWidth
  } else {
    width = (ownHeads + 2 * Math.max(1, shape.kvHeads / tensor)) * headDim
    seconds = multiply(work, width, hidden) + multiply(work, hidden, ownHeads * headDim)
  }
  const unfused = constants.fusedAttention ? 0 : KERNELS.unfusedCore
  return {
    matmul: seconds,
    memory: moved(work, tokens * (residual(work) + 3 * width + (casts(work) * (hidden + width)) / 2)),
    exchange: 0,
    kernels: KERNELS.attention + unfused + extraKernels(work),
  }
}

function mlpBlock(work: RankWork): BlockCost {
  const { shape, strategy, tokens } = work
  const { hidden } = shape
  const gates = shape.gated ? 2 : 1
  const inner = shape.ffn / strategy.tensor
  return {
    matmul: multiply(work, gates * inner, hidden) + multiply(work, hidden, inner),
    memory: moved(
      work,
      tokens * (residual(work) + (gates + 1) * inner + (casts(work) * (hidden + inner)) / 2),
    ),
    exchange: 0,
    kernels: KERNELS.mlp + extraKernels(work),
  }
}

/** Router, routed experts as grouped multiplies, shared experts, and the exchange of tokens with other ranks. */
function expertBlock(work: RankWork): BlockCost {
  const { shape, machine, strategy, constants, tokens } = work
  const { hidden } = shape
  const experts = shape.experts!
  const { tensor, expert, expertTensor } = strategy
  const gates = shape.gated ? 2 : 1
  const width = experts.latent ?? hidden
  // Tokens are split over tensor ranks before they are routed, unless those ranks share each expert.
  const split = tokens / tensor
  const routed = split * experts.topK * expertTensor
  const own = experts.count / expert
  const inner = experts.ffn / expertTensor
  const grouped =
    groupedSeconds(work, own, routed / own, gates * inner, width) +
    groupedSeconds(work, own, routed / own, width, inner)
  const shared =
    experts.sharedFfn > 0
      ? multiply(work, (gates * experts.sharedFfn) / tensor, hidden) +
        multiply(work, hidden, experts.sharedFfn / tensor)
      : 0
  const latent = experts.latent
    ? multiply(work, experts.latent, hidden, split) + multiply(work, hidden, experts.latent, split)
    : 0
  const router = multiply(work, experts.count, hidden, split)
  const values =
    routed * (4 * width + (gates + 1) * inner) + (tokens * gates * experts.sharedFfn * 1.5) / tensor
  const group = groupOf(expert, expertTensor > 1 ? tensor : 1, machine)
  return {
    matmul: grouped / constants.groupedMatmul + shared + latent + router,
    memory: moved(work, tokens * residual(work)) + (values * BYTES * constants.routing) / memoryRate(work),
    exchange: 2 * exchangeSeconds(split * width * BYTES, experts.topK, group, machine, constants),
    kernels: KERNELS.moe + own * constants.expertKernels * (1 + casts(work)) + extraKernels(work),
  }
}

/** One multiply for each of `count` experts in one launch; each also reads its own weights. */
function groupedSeconds(work: RankWork, count: number, rows: number, columns: number, depth: number): number {
  const { constants } = work
  const compute = count * (multiply(work, columns, depth, rows) - constants.matmulRamp)
  const read = (count * columns * depth * BYTES) / memoryRate(work)
  return Math.max(compute, read) + constants.matmulRamp
}

function mambaBlock(work: RankWork): BlockCost {
  const { shape, machine, strategy, constants, tokens } = work
  const { hidden } = shape
  const space = shape.stateSpace!
  const { tensor } = strategy
  const inner = (space.heads * space.headDim) / tensor
  const mixed = inner + (2 * space.groups * space.state) / Math.min(tensor, space.groups)
  const scan = (tokens * mambaScanFlops(shape)) / tensor / (machine.gpu.flops.bf16 * constants.scan)
  return {
    matmul:
      multiply(work, inner + mixed + space.heads / tensor, hidden) + multiply(work, hidden, inner) + scan,
    memory: moved(work, tokens * (residual(work) + 4 * (inner + mixed))),
    exchange: 0,
    kernels: KERNELS.mamba + extraKernels(work),
  }
}

/** Seconds to multiply the rank's tokens (or `rows` of them) with a matrix of `depth` by `columns`. */
function multiply(work: RankWork, columns: number, depth: number, rows = work.tokens): number {
  return matmulSeconds(rows, columns, depth, work.strategy.precision, work.machine, work.constants)
}

function moved(work: RankWork, values: number): number {
  return (values * BYTES * work.constants.elementwise) / memoryRate(work)
}

/** Values for each token that norms and residuals read and write. */
function residual({ shape, strategy }: RankWork): number {
  return (6 * shape.hidden) / (strategy.sequenceParallel ? strategy.tensor : 1)
}

/** 1 where inputs of multiplies are cast to a narrower type first. */
function casts({ strategy }: RankWork): number {
  return strategy.precision === 'bf16' ? 0 : 1
}

function extraKernels(work: RankWork): number {
  return casts(work) * KERNELS.cast + (work.strategy.tensor > 1 ? KERNELS.collective : 0)
}
