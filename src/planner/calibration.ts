import data from './data/calibration.json' with { type: 'json' }
import type { Architecture, Gpu } from './gpu.ts'

/**
 * The fitted constants of the step model. Each is a base value times factors of the GPU's architecture, of the GPU, of the family of
 * training software and of its generation; a factor that the file leaves out is 1. Only attention's rate has no base: it is a
 * table by kernel and architecture.
 */
export interface Constants {
  /** Clock that a GPU of this kind holds under load, over what the others of its architecture hold. */
  readonly clock: number
  /** Share of the data sheet's peak that large matrix multiplies sustain under load. */
  readonly matmulBf16: number
  readonly matmulFp8: number
  readonly matmulFp4: number
  /** Rows, columns or depth of a matrix multiply at which half of its rate is lost. */
  readonly matmulHalf: number
  /** Seconds that each matrix multiply loses to filling and draining the GPU. */
  readonly matmulRamp: number
  /** Share of the matmul rate that grouped multiplies of experts keep. */
  readonly groupedMatmul: number
  /** Share of the BF16 peak of fused attention with 128-wide heads on long sequences. */
  readonly attention: number
  /** Tokens at which fused attention runs at half of that. */
  readonly attentionHalf: number
  /** Share of the data sheet's memory bandwidth. */
  readonly memory: number
  /** Bytes of memory-bound kernels over the least that fused kernels must move. */
  readonly elementwise: number
  /** Bytes moved to route tokens to experts and back, over the least. */
  readonly routing: number
  /** Share of the bytes of gradient accumulation that matrix multiplies do not hide. */
  readonly accumulate: number
  /** Share of NVLink's and the network's bandwidth that large collectives reach. */
  readonly nvlink: number
  readonly network: number
  /** Seconds of a collective that do not depend on its size, and those that the network adds. */
  readonly nvlinkLatency: number
  readonly networkLatency: number
  /** Seconds of host time for each kernel: the floor of a layer's time. */
  readonly launch: number
  /** Kernels that each expert on a rank adds to a layer's forward pass. */
  readonly expertKernels: number
  /** Host seconds of each micro-batch beside its layers. */
  readonly microOverhead: number
  /** Share of the BF16 peak that state-space scans reach. */
  readonly scan: number
  /** Shares of communication that computation does not hide. */
  readonly tensorExposed: number
  readonly contextExposed: number
  readonly expertExposed: number
  readonly pipelineExposed: number
  readonly dataExposed: number
  /** Seconds of a step outside of the model: data loading, gradient norm, logging. */
  readonly stepOverhead: number
  /** Everything the model does not see, as a factor on computation. */
  readonly slowdown: number
  /** Growth of a step for each doubling of the node count: the slowest of many sets the pace. */
  readonly straggle: number
}

export type ConstantName = keyof Constants

/** Fused attention by its generation: arXiv 2205.14135, 2307.08691, and 2407.08608 with cuDNN 9 of the same years. */
export type AttentionKernel = 'flash1' | 'flash2' | 'flash3'

/** Megatron-LM before and with fused attention, and PyTorch's own sharding. */
export type Family = 'unfused' | 'megatron' | 'torch'

/** What is known of a generation of training software without measuring it. */
export interface SoftwareTraits {
  readonly name: string
  readonly title: string
  readonly attention: AttentionKernel | 'unfused'
  /** Bytes of a gradient as it is summed over data ranks, and as it is kept. */
  readonly gradientBytes: 2 | 4
  /** PyTorch's own sharding: FP32 shards gathered as BF16, and recomputation of every other multiply when selective. */
  readonly torchNative: boolean
  /** Bytes for each logit at the peak of the loss: 4 where it is fused, 12 where logits, their FP32 copy and its gradient stand side by side. */
  readonly logitBytes: number
  /** What else of the software it has its constants in common with. */
  readonly family: Family
  /** Bytes that no tensor accounts for: context, communicators, allocator. */
  readonly reservedBytes: number
}

export interface Software extends SoftwareTraits {
  readonly factors: Partial<Constants>
}

export interface Calibration {
  readonly version: string
  readonly base: Omit<Constants, 'attention'>
  /** Share of the BF16 peak that each kernel reaches. */
  readonly attention: Readonly<Record<AttentionKernel, Readonly<Record<Architecture, number>>>>
  readonly architectures: Readonly<Partial<Record<Architecture, Partial<Constants>>>>
  readonly gpus: Readonly<Record<string, Partial<Constants>>>
  readonly families: Readonly<Partial<Record<Family, Partial<Constants>>>>
  readonly software: readonly Software[]
  /** Relative half-width that covers two thirds of the residuals of sources left out of the fit. */
  readonly errorBand: { readonly dense: number; readonly moe: number }
}

export const CALIBRATION = data as unknown as Calibration

/** Constants and traits in force for one GPU under one generation of software. */
export interface Resolved extends Constants {
  readonly traits: SoftwareTraits
  /** Attention in one fused kernel, or as two multiplies with a softmax over the whole matrix between. */
  readonly fusedAttention: boolean
}

/** The constants for a GPU and a generation of software; an unknown name counts as the newest general one. */
export function resolveConstants(
  gpu: Gpu,
  softwareName: string = DEFAULT_SOFTWARE,
  calibration: Calibration = CALIBRATION,
): Resolved {
  const software =
    calibration.software.find((entry) => entry.name === softwareName) ??
    calibration.software.find((entry) => entry.name === DEFAULT_SOFTWARE)!
  const layers = [
    calibration.architectures[gpu.architecture],
    calibration.gpus[gpu.name],
    calibration.families[software.family],
    software.factors,
  ]
  const kernel = software.attention === 'unfused' ? 'flash1' : software.attention
  const base: Constants = { ...calibration.base, attention: calibration.attention[kernel][gpu.architecture] }
  const resolved: Record<string, unknown> = {
    traits: software,
    fusedAttention: software.attention !== 'unfused',
  }
  for (const name of Object.keys(base) as ConstantName[]) {
    let value = base[name]
    for (const layer of layers) value *= layer?.[name] ?? 1
    resolved[name] = name.endsWith('Exposed') ? Math.min(1, value) : value
  }
  return resolved as unknown as Resolved
}

export const DEFAULT_SOFTWARE = 'megatron-2025'
