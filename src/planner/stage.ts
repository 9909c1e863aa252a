import type { ModelShape } from './model-shape.ts'

/** How a model's layers and vocabulary heads fall on the stages of a pipeline. Layers count prediction layers too. */
export interface StageLoad {
  /** Layers and heads of the stage that takes longest. */
  readonly layers: number
  readonly heads: number
}

/**
 * The heaviest stage for a layer that takes `layerSeconds` and a head that takes `headSeconds`.
 * Layers are cut evenly; where that leaves a remainder but embedding and head fill it up as a layer each, they do
 * (Megatron-LM's account of embedding and loss in the split); otherwise stages differ by one layer and the head joins a light one.
 */
export function stageLoad(
  shape: ModelShape,
  pipeline: number,
  interleave: number,
  layerSeconds: number,
  headSeconds: number,
): StageLoad {
  const heads = 1 + shape.predictionLayers
  const allLayers = shape.layers + shape.predictionLayers
  const load = (layers: number, withHeads: number): StageLoad => ({ layers, heads: withHeads })
  if (pipeline === 1) return load(allLayers, heads)
  const chunks = pipeline * interleave
  if (allLayers % chunks !== 0 && (allLayers + 2) % chunks === 0) {
    const slots = (allLayers + 2) / pipeline
    const lastIsLongest = heads * headSeconds > layerSeconds
    return lastIsLongest ? load(slots - 1, heads) : load(slots, 0)
  }
  const most = Math.ceil(allLayers / pipeline)
  const least = allLayers % pipeline === 0 ? most : most - 1
  const lastIsLongest = least * layerSeconds + heads * headSeconds > most * layerSeconds
  return lastIsLongest ? load(least, heads) : load(most, 0)
}
