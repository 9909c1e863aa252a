import {
  countParameters,
  DEFAULT_SOFTWARE,
  gpuByName,
  type Machine,
  type ModelShape,
  machineOf,
  modelByName,
  modelShape,
  type Precision,
  type Strategy,
  trainingFlopsPerToken,
} from '../../../src/planner/index.ts'

type Row = Readonly<Record<string, string>>

/** One published run in the planner's terms. What the source does not print stays free in `fixed`. */
export interface MeasuredRun {
  readonly id: string
  readonly source: string
  readonly kind: 'dense' | 'moe'
  readonly shape: ModelShape
  readonly machine: Machine
  readonly software: string
  readonly precision: Precision
  readonly sequence: number
  readonly globalBatch: number
  readonly fixed: Partial<Strategy>
  /** Seconds of a step, as printed or as follows from printed tokens or FLOP per second; absent for runs that ran out of memory. */
  readonly stepSeconds?: number
  /** Whole-run averages include restarts and evaluations. */
  readonly wholeRun: boolean
  readonly peakMemoryBytes?: number
  readonly outOfMemory: boolean
  /** Rows of one sweep differ only in how the same work is spread over the same machine. */
  readonly sweep: string
}

export type Reading = { readonly run: MeasuredRun } | { readonly refused: string }

/** Reads a row of the measurements' columns, or says why nothing can be predicted for it. */
export function readRun(row: Row): Reading {
  const refused = (why: string): Reading => ({ refused: `${row.row_id ?? '?'}: ${why}` })
  const gpu = gpuByName(row.gpu ?? '')
  if (!gpu.ok) return refused(gpu.error)
  const shape = readShape(row)
  if (typeof shape === 'string') return refused(shape)
  const notes = row.notes ?? ''
  const gpuCount = gpuCountOf(row, gpu.value.gpusPerNode)
  if (!gpuCount) return refused('neither GPUs, nodes, ranks nor GPU-hours are given')
  const sequence = number(row.seq_len) ?? shape.sequence
  const machine = machineOf(gpu.value, gpuCount, {
    ...networkOf(row.interconnect ?? '', gpu.value.gpusPerNode),
  })
  const globalBatch = wholeBatch(row, gpuCount, number(row.global_batch) ?? batchOf(row, gpuCount, sequence))
  const precision = precisionOf(row)
  const software = softwareOf(row)
  const fixed = readFixed(row, shape, gpuCount, globalBatch, software)
  const stepSeconds = measuredStep(row, shape, gpuCount, globalBatch, sequence)
  const memory = row.peak_mem_gib ?? ''
  const outOfMemory = /oom/i.test(memory)
  if (stepSeconds === undefined && !outOfMemory) return refused('no step time, tokens/s or TFLOP/s is given')
  const peak = number(memory)
  return {
    run: {
      id: row.row_id ?? '',
      source: row.source ?? '',
      kind: shape.blocks.moe > 0 ? 'moe' : 'dense',
      shape,
      machine,
      software,
      precision,
      sequence,
      globalBatch,
      fixed,
      ...(stepSeconds !== undefined && { stepSeconds }),
      wholeRun: /whole-run/.test(notes) || row.kind === 'full_run',
      ...(peak && { peakMemoryBytes: peak * 2 ** 30 }),
      outOfMemory,
      sweep: [row.source, row.gpu, row.model, gpuCount, globalBatch, sequence, precision, row.kind].join('|'),
    },
  }
}

function number(text: string | undefined): number | undefined {
  const value = Number.parseFloat(text ?? '')
  return Number.isFinite(value) && value > 0 ? value : undefined
}

/** A cut-down model (`grok1-314b-4L`, `llama3-70b-trunc12L`) is its full model with other layers. */
function readShape(row: Row): ModelShape | string {
  const name = (row.model ?? '').replace(/-(trunc)?\d+L$/, '')
  const known = modelByName(name)
  const hidden = number(row.hidden)
  const layers = number(row.layers)
  const heads = number(row.heads)
  if (!hidden || !layers || !heads) {
    if (known.ok) return withPrediction(known.value, row)
    const size = number(row.params_B) ?? number(/(\d+(?:\.\d+)?)\s?b\b/i.exec(row.model ?? '')?.[1])
    return size ? shapeOfSize(size * 1e9, row) : known.error
  }
  const base = known.ok ? known.value : undefined
  const topK = number(row.moe_topk)
  const expertCount = number(row.n_experts)
  const ffn = number(row.ffn_hidden) ?? base?.ffn ?? 4 * hidden
  const hybrid = base && base.layers === layers && base.blocks.mamba > 0
  const truncated = base !== undefined && base.layers !== layers
  const denseLayers = base
    ? Math.min(base.blocks.mlp, truncated ? Math.ceil(layers / 8) : base.blocks.mlp)
    : 0
  const every = base && base.blocks.moe > 0 && base.blocks.mlp === base.blocks.moe ? 2 : 1
  const build = (gated: boolean, tied: boolean) =>
    modelShape({
      name: row.model ?? name,
      hidden,
      layers,
      heads,
      kvHeads: number(row.kv_heads) ?? heads,
      ...(base && {
        headDim: base.headDim,
        biases: base.biases,
        norm: base.norm,
        queryKeyNorm: base.queryKeyNorm,
        learnedPositions: base.learnedPositions,
      }),
      ...(base?.latentAttention && { latentAttention: base.latentAttention }),
      ...(base?.window && {
        window: { tokens: base.window.tokens, blocks: (base.window.blocks * layers) / base.layers },
      }),
      ...(hybrid && { blocks: base.blocks, ...(base.stateSpace && { stateSpace: base.stateSpace }) }),
      ffn,
      gated,
      ...(expertCount &&
        topK && {
          experts: {
            count: expertCount,
            topK,
            ffn: number(row.moe_ffn) ?? base?.experts?.ffn ?? ffn,
            sharedFfn: base?.experts?.sharedFfn ?? 0,
            ...(base?.experts?.latent && { latent: base.experts.latent }),
            denseLayers: every === 2 ? 0 : denseLayers,
            every,
          },
        }),
      predictionLayers: truncated ? 0 : (base?.predictionLayers ?? 0),
      vocabulary: number(row.vocab) ?? base?.vocabulary ?? 50257,
      sequence: number(row.seq_len) ?? base?.sequence ?? 2048,
      tiedEmbeddings: tied,
    })
  const candidates = (
    base
      ? [[base.gated, base.tiedEmbeddings] as const]
      : ([
          [false, true],
          [true, false],
          [false, false],
          [true, true],
        ] as const)
  ).map(([gated, tied]) => build(gated, tied))
  const first = candidates[0]!
  if (!first.ok) return first.error
  const target = number(row.params_B)
  let best = first.value
  if (target && !base) {
    let nearest = Number.POSITIVE_INFINITY
    for (const candidate of candidates) {
      if (!candidate.ok) continue
      const distance = Math.abs(countParameters(candidate.value).total / 1e9 - target)
      if (distance < nearest) {
        nearest = distance
        best = candidate.value
      }
    }
  }
  return withPrediction(best, row)
}

/** A plain transformer of so many parameters in the usual proportions: 12 l h^2 of them, with h about 128 l (Kaplan et al. 2020, figure 5). */
function shapeOfSize(parameters: number, row: Row): ModelShape | string {
  const hidden = Math.max(256, Math.round(((parameters * 128) / 12) ** (1 / 3) / 256) * 256)
  const built = modelShape({
    name: row.model ?? 'model',
    hidden,
    layers: Math.max(1, Math.round(parameters / (12 * hidden * hidden))),
    heads: hidden / 128,
    ffn: 4 * hidden,
    gated: false,
    vocabulary: number(row.vocab) ?? 50_257,
    sequence: number(row.seq_len) ?? 2048,
    tiedEmbeddings: true,
  })
  return built.ok ? built.value : built.error
}

/** NeMo AutoModel trains without the extra prediction layer, and other sources say so where they do. */
function withPrediction(shape: ModelShape, row: Row): ModelShape {
  const without = /w\/o MTP/i.test(row.notes ?? '') || /AutoModel/.test(row.source ?? '')
  return without ? { ...shape, predictionLayers: 0 } : shape
}

/** Bytes per second of the network for each GPU, from texts like `8x400Gb NDR IB`, `800Gb/s per node`, `4x ConnectX-7 400`. */
function networkOf(text: string, gpusPerNode: number): { nicBandwidth?: number } {
  const perNode = /(?:^|[^\d])(\d+)\s*Gb\/?s? (?:per node|RoCE node-node)/i.exec(text)
  if (perNode) return { nicBandwidth: ((Number(perNode[1]) / 8) * 1e9) / gpusPerNode }
  const compute = /Compute:\s*(.*?)(?:, Management|, Storage|$)/i.exec(text)?.[1] ?? text
  const counted = /(\d+)x\s*(?:[A-Za-z][^\d,;]*(?:ConnectX-?\d+|CX\d+)?[^\d,;]*|)(\d{3,4})\s*Gb/i.exec(
    compute.replace(/ConnectX-?\d+|BF3|CX7/gi, ''),
  )
  if (counted) return { nicBandwidth: (Number(counted[1]) * Number(counted[2]) * 1e9) / 8 / gpusPerNode }
  return {}
}

/** Sequences of a step where no column says: from the notes, from time and rate, or from micro-batches; else four million tokens. */
function batchOf(row: Row, gpuCount: number, sequence: number): number {
  const notes = row.notes ?? ''
  const printed = number(/GBS\s?(\d+)/.exec(notes)?.[1])
  if (printed) return printed
  const time = number(row.step_time_s)
  const rate = number(row.tokens_per_s_per_gpu)
  if (time && rate) return Math.max(1, Math.round((time * rate * gpuCount) / sequence))
  const data = number(row.dp)
  const microBatch = number(row.micro_batch)
  const accumulated = number(/(?:GA|grad_accum|micro_num)\s?(\d+)/.exec(notes)?.[1])
  if (data && microBatch && accumulated) return data * microBatch * accumulated
  // The usual batch of large pretraining runs (arXiv 2302.13971, section 2.3).
  return Math.max(1, Math.round(2 ** 22 / sequence / gpuCount)) * gpuCount
}

/** A batch that is only known roughly is rounded to whole micro-batches; one that a step time belongs to is taken as it is. */
function wholeBatch(row: Row, gpuCount: number, batch: number): number {
  const data = gpuCount / ((number(row.tp) ?? 1) * (number(row.pp) ?? 1) * (number(row.cp) ?? 1))
  if (number(row.step_time_s) || !Number.isInteger(data) || batch % data === 0) return batch
  return Math.max(1, Math.round(batch / data)) * data
}

/** GPUs as printed, by nodes, or by ranks; of whole runs the power of two that spends the GPU-hours in about a month. */
function gpuCountOf(row: Row, gpusPerNode: number): number | undefined {
  const printed = number(row.n_gpus)
  if (printed) return printed
  const nodes = number(row.nodes)
  if (nodes) return nodes * gpusPerNode
  const data = number(row.dp)
  if (data) return data * (number(row.tp) ?? 1) * (number(row.pp) ?? 1) * (number(row.cp) ?? 1)
  const hours = number(row.gpu_hours)
  return hours && 2 ** Math.max(3, Math.round(Math.log2(hours / 720)))
}

function precisionOf(row: Row): Precision {
  const text = row.precision ?? ''
  if (/nvfp4 or fp8/.test(text)) {
    const config = row.notes ?? ''
    // Fine-tuning entries name the FP4 configuration where they use it; pretraining entries run FP4 either way.
    return /_fp4/.test(config) || row.kind === 'pretrain' ? 'fp4' : 'fp8'
  }
  if (/fp4/.test(text)) return 'fp4'
  return /fp8/.test(text) ? 'fp8' : 'bf16'
}

const SOFTWARE: readonly (readonly [RegExp, string])[] = [
  [/MaxText/i, 'maxtext'],
  [/SC21.*ZeRO-3/, 'deepspeed-zero3'],
  [/SC21|Korthikanti/, 'megatron-2021'],
  [/vTrain/, 'megatron-deepspeed-2023'],
  [/MT-NLG|BLOOM|DeepSpeed/, 'megatron-deepspeed'],
  [/\(MegaScale\)|MegaScale.*\+(TP overlap|PP overlap|DP overlap|efficient|misc|LAMB)/, 'megascale'],
  [/MegaScale/, 'megatron-2023'],
  [/llm-foundry.*A100 40GB/, 'composer-2023'],
  [/llm-foundry|MosaicML/, 'composer-fsdp'],
  [/MLPerf Training v[0-4]\./, 'mlperf-4'],
  [/MLPerf Training v5\.0/, 'mlperf-5.0'],
  [/MLPerf/, 'mlperf-5.1'],
  [/torchtitan.*eager/i, 'torch-eager'],
  [/torchtitan.*fp8-rowwise/, 'torch-fsdp2-rowwise'],
  [/torchtitan.*async TP/i, 'torch-fsdp2-async'],
  [/torchtitan 2025/, 'torch-fsdp2-2025'],
  [/torchtitan/, 'torch-fsdp2'],
  [/fms-fsdp/, 'torch-fsdp'],
  [/AutoModel/, 'automodel'],
  [/InternEvo/i, 'internevo'],
  [/Megatron-Bridge perf 26\.(0[6-9]|1)|Megatron-Bridge perf 2[7-9]/, 'megatron-2026.06'],
  [/Megatron-Bridge perf 26/, 'megatron-2026'],
  [/tokendrop/, 'megatron-2025-capacity'],
  [/Megatron-Bridge/, 'megatron-2025'],
  [/DGX Cloud benchmarking v25/, 'nemo-2025'],
  [/SimuMax/, 'megatron-2025-plain'],
  [/DGX Cloud|NeMo 24|Megatron-Core|Megatron-LM examples/, 'megatron-2024'],
  [/NeMo-Megatron-Launcher/, 'megatron-2023'],
  // TinyLlama was trained with FSDP, FlashAttention-2 and fused kernels (its README); BloombergGPT with a fused softmax only (arXiv 2303.17564, section 3.3).
  [/LitGPT/, 'torch-fsdp'],
  [/BloombergGPT/, 'megatron-2021'],
  [/Pythia|OPT|Falcon|LLaMA|Llama \d/, 'torch-2023'],
]

/** What a source that names no software is taken to have run, up to and with a year: Megatron's line, or PyTorch's own sharding. */
const BY_YEAR: readonly (readonly [year: number, megatron: string, torch: string])[] = [
  [2022, 'megatron-2021', 'torch-2023'],
  [2023, 'megatron-2023', 'torch-2023'],
  [2024, 'megatron-2024', 'torch-fsdp2'],
  [2025, DEFAULT_SOFTWARE, 'torch-fsdp2-2025'],
  [Number.POSITIVE_INFINITY, 'megatron-2026', 'torch-fsdp2-2025'],
]

function softwareOf(row: Row): string {
  const text = `${row.source} ${row.precision} ${row.notes}`
  for (const [pattern, name] of SOFTWARE) if (pattern.test(text)) return name
  const year = number(row.year) ?? 2025
  const isTorch = row.zero_stage === '3' || /FSDP|PyTorch/i.test(text)
  const [, megatron, torch] = BY_YEAR.find(([last]) => year <= last)!
  return isTorch ? torch : megatron
}

function readFixed(
  row: Row,
  shape: ModelShape,
  gpuCount: number,
  globalBatch: number,
  software: string,
): Partial<Strategy> {
  const notes = row.notes ?? ''
  const tensor = number(row.tp)
  const pipeline = number(row.pp)
  const context = number(row.cp) ?? 1
  const data = tensor && pipeline ? gpuCount / (tensor * pipeline * context) : undefined
  const accumulate = number(/(?:GA|grad_accum|micro_num)\s?(\d+)/.exec(notes)?.[1])
  const derived = data && accumulate ? globalBatch / data / accumulate : undefined
  const microBatch = number(row.micro_batch) ?? (derived && Number.isInteger(derived) ? derived : undefined)
  const expert = shape.experts ? (number(row.ep) ?? undefined) : 1
  const unfolded =
    /DGX Cloud benchmarking v(24|25\.0[0-4]|25\.05$)/.test(row.source ?? '') &&
    tensor &&
    expert &&
    data &&
    (tensor * context * data) % (expert * tensor) === 0
  const shard = number(/(?:FSDP group|FSDP=|shard size|zero1 group|HSDP sharding)\s?(\d+)?/.exec(notes)?.[1])
  const node = /zero1 within 8-GPU node|HSDP/.test(notes) ? 8 : undefined
  const recompute = row.activation_recompute ?? ''
  const plainTensor =
    /no sequence parallel/.test(notes) ||
    software.startsWith('megatron-deepspeed') ||
    (software === 'megatron-2021' && !/sequence parallel \+/.test(notes))
  // Instruction sets such as SQuAD are packed many to a sequence; MLPerf's reports fill one each.
  const packed =
    /SQuAD/.test(notes) || (/^(sft|lora)$/.test(row.kind ?? '') && !/MLPerf/.test(row.source ?? ''))
  const sharding = Number.parseInt(row.zero_stage ?? '', 10)
  return {
    ...(tensor && { tensor }),
    ...(pipeline && { pipeline }),
    ...(tensor || number(row.cp) !== 1 ? { context } : {}),
    ...(expert && { expert }),
    expertTensor: unfolded ? tensor : 1,
    ...(microBatch && { microBatch }),
    ...(pipeline === 1 ? { interleave: 1 } : number(row.vp) ? { interleave: number(row.vp)! } : {}),
    ...(recompute && {
      recompute: recompute.startsWith('full')
        ? 'full'
        : recompute.startsWith('selective')
          ? 'selective'
          : 'none',
    }),
    sharding: (Number.isInteger(sharding) ? sharding : 1) as 0 | 1 | 2 | 3,
    ...(shard || node ? { shardGroup: shard ?? node! } : {}),
    ...(plainTensor && { sequenceParallel: false }),
    trains: row.kind === 'lora' ? 'adapters' : 'all',
    ...(packed && { documentTokens: 512 }),
    ...(/fp32 grad/.test(row.precision ?? '') || (row.precision === 'bf16' && /BLOOM/.test(row.source ?? ''))
      ? { gradientBytes: 4 as const }
      : {}),
  }
}

function measuredStep(
  row: Row,
  shape: ModelShape,
  gpuCount: number,
  globalBatch: number,
  sequence: number,
): number | undefined {
  const printed = number(row.step_time_s)
  if (printed) return printed
  const tokensPerSecond = number(row.tokens_per_s_per_gpu)
  if (tokensPerSecond) return (globalBatch * sequence) / (tokensPerSecond * gpuCount)
  const teraflops = number(row.measured_tflops_per_gpu)
  if (!teraflops) return undefined
  const hardware =
    /hardware|unclear/.test(row.flops_convention ?? '') && /full/.test(row.activation_recompute ?? '')
  const flops = trainingFlopsPerToken(shape, sequence) * (hardware ? 4 / 3 : 1)
  return (flops * globalBatch * sequence) / (teraflops * 1e12 * gpuCount)
}
