import type { Resolved } from './calibration.ts'
import type { ModelShape } from './model-shape.ts'
import { countParameters } from './parameters.ts'
import type { Strategy } from './strategy.ts'

/** Weights of the mean layer on one rank. */
export function weightsOfLayer(shape: ModelShape, strategy: Strategy): number {
  const { dense, routed } = layerWeights(shape)
  return dense / strategy.tensor + routed / (strategy.expert * strategy.expertTensor)
}

const WEIGHTS = new WeakMap<ModelShape, { dense: number; routed: number }>()

/** Weights of the mean layer by how they are spread: over tensor ranks, or over expert groups. */
export function layerWeights(shape: ModelShape): { dense: number; routed: number } {
  let weights = WEIGHTS.get(shape)
  if (!weights) {
    const count = countParameters(shape)
    const { blocks, layers } = shape
    weights = {
      dense:
        (blocks.attention * count.attentionBlock +
          blocks.mlp * count.mlpBlock +
          blocks.moe * (count.moeBlock - count.routedExperts) +
          blocks.mamba * count.mambaBlock) /
        layers,
      routed: (blocks.moe * count.routedExperts) / layers,
    }
    WEIGHTS.set(shape, weights)
  }
  return weights
}

/** Bytes of a gradient as it is accumulated and exchanged. */
export function gradientBytesOf(strategy: Strategy, constants: Resolved): number {
  return strategy.gradientBytes ?? constants.traits.gradientBytes
}
