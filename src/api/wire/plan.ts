import { z } from 'zod'
import { named, type WireOf } from '../schema.ts'
import { bytes, count, durationMs, timeMs } from './primitives.ts'

const whole = (most = 10_000_000) => z.int().min(1).max(most)
const positive = () => z.number().positive()
const seconds = () => z.number().min(0).describe('seconds')
const share = () => z.number().min(0).describe('a share of 1')

const precision = z.enum(['bf16', 'fp8', 'fp4'])

const modelShape = named(
  'ModelShape',
  'A transformer by its numbers; what is left out follows the usual choices.',
  z.strictObject({
    layers: whole(),
    hidden: whole(),
    heads: whole(),
    kvHeads: whole().exactOptional(),
    headDim: whole().exactOptional(),
    ffn: whole().exactOptional().describe('inner width of the MLP; four times `hidden` when left out'),
    gated: z.boolean().exactOptional(),
    vocabulary: whole().default(128_256),
    sequence: whole().default(8192),
    tiedEmbeddings: z.boolean().exactOptional(),
    experts: z
      .strictObject({
        count: whole(),
        topK: whole(),
        ffn: whole(),
        sharedFfn: z.int().min(0).exactOptional(),
        denseLayers: z.int().min(0).exactOptional(),
      })
      .exactOptional(),
  }),
)

/** A model and a machine, as both plans name them. */
const subject = {
  model: z
    .string()
    .max(200)
    .exactOptional()
    .describe('a name such as `llama3-70b`; with `config` or `shape` only a label'),
  config: z
    .record(z.string(), z.unknown())
    .exactOptional()
    .describe('the fields of a Hugging Face config.json'),
  shape: modelShape.exactOptional(),
  cluster: z
    .string()
    .max(200)
    .exactOptional()
    .describe(
      '`TEMPLATE:NODES` such as `nd-h100-v5:64`; the live cluster when neither this nor `gpu` is given',
    ),
  gpu: z.string().max(200).exactOptional().describe('a GPU such as `H100`, with `gpus`'),
  gpus: whole().exactOptional().describe('how many GPUs, of `gpu` or of the cluster'),
  precision: precision.default('bf16'),
  dollarsPerGpuHour: positive().exactOptional().describe('instead of the list price'),
}

const fixedStrategy = z
  .strictObject({
    tensor: whole().exactOptional(),
    context: whole().exactOptional(),
    pipeline: whole().exactOptional(),
    interleave: whole().exactOptional(),
    expert: whole().exactOptional(),
    expertTensor: whole().exactOptional(),
    microBatch: whole().exactOptional(),
    sharding: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]).exactOptional(),
    recompute: z.enum(['none', 'selective', 'full']).exactOptional(),
  })
  .describe('what of the strategy is not free')

export const planRequest = named(
  'PlanRequest',
  'A training run to plan. What is left out is filled in or free.',
  z.strictObject({
    ...subject,
    tokens: positive().exactOptional().describe('twenty for each parameter when left out'),
    steps: whole(1e9).exactOptional().describe('with `batch`, in place of `tokens`'),
    batch: whole().exactOptional().describe('sequences of a step; about four million tokens when left out'),
    sequence: whole().exactOptional().describe("tokens of a sequence; the model's own when left out"),
    software: z.string().max(100).exactOptional().describe('generation of training software to expect'),
    fixed: fixedStrategy.exactOptional(),
    measuredStepMs: z.number().positive().exactOptional().describe('what a step really takes'),
    days: positive()
      .exactOptional()
      .describe('with tokens: finish within; without: how many tokens it trains'),
    finishBy: timeMs().exactOptional().describe('find the cheapest size that is done by then'),
    dollars: positive().exactOptional().describe('find a size that costs no more'),
    curve: z.boolean().default(false).describe('plan every size up to the machine too'),
  }),
)

const strategy = named(
  'Strategy',
  'How a training step is spread over GPUs.',
  z.object({
    tensor: count(),
    context: count(),
    pipeline: count(),
    interleave: count().describe('chunks of the model on each pipeline rank'),
    expert: count(),
    expertTensor: count(),
    microBatch: count(),
    globalBatch: count(),
    sequence: count(),
    sharding: z.int().min(0).max(3).describe('stage of ZeRO'),
    recompute: z.enum(['none', 'selective', 'full']),
    sequenceParallel: z.boolean(),
    precision,
    trains: z.enum(['all', 'adapters']),
  }),
)

const stepSeconds = named(
  'StepSeconds',
  'Where the seconds of a step go; the parts add up to `total`.',
  z.object({
    matmul: seconds(),
    attention: seconds(),
    memory: seconds(),
    launch: seconds(),
    tensor: seconds(),
    context: seconds(),
    expert: seconds(),
    pipeline: seconds(),
    data: seconds(),
    bubble: seconds(),
    optimizer: seconds(),
    overhead: seconds(),
    total: seconds(),
  }),
)

const memoryBytes = named(
  'MemoryBytes',
  'Bytes on the fullest GPU by what they are for.',
  z.object({
    weights: z.number(),
    gradients: z.number(),
    optimizer: z.number(),
    activations: z.number(),
    logits: z.number(),
    buffers: z.number(),
    total: z.number(),
  }),
)

const machine = z.object({
  gpu: z.string(),
  gpuCount: count(),
  gpusPerNode: count(),
  gpuMemoryBytes: bytes(),
})

const strategyText = z.string().describe('the strategy in words')

const grounds = z
  .array(
    named(
      'PlanGround',
      'One figure that a plan rests on, and where it is from.',
      z.object({
        name: z.string(),
        value: z.number(),
        unit: z.enum([
          'parameters',
          'FLOP/s',
          'bytes/s',
          'bytes',
          '$/GPU-hour',
          'share',
          'failures/node-day',
        ]),
        source: z.string(),
      }),
    ),
  )
  .describe('what it rests on')

const specText = z
  .string()
  .describe('a spec of this size, as YAML; the command in it is a stand-in for your own')

export const plan = named(
  'Plan',
  'What a training run takes. Times are seconds; two thirds of predictions stay within `relativeError`.',
  z.object({
    model: z.string(),
    machine,
    strategy,
    strategyText,
    step: stepSeconds,
    memory: memoryBytes,
    runnersUp: z.array(z.object({ strategy, strategyText, step: stepSeconds, memory: memoryBytes })),
    considered: count().describe('strategies in the space that was searched'),
    steps: count(),
    tokens: z.number(),
    tokensPerSecondPerGpu: z.number(),
    modelFlopsUtilisation: share(),
    limit: z.object({ by: z.enum(['compute', 'memory', 'network', 'bubble', 'host']), share: share() }),
    relativeError: share(),
    actual: z
      .object({ stepSeconds: seconds(), ratio: z.number(), withinBand: z.boolean() })
      .exactOptional()
      .describe('the measured step, set against the plan'),
    reliability: z.object({
      meanSecondsBetweenFailures: seconds(),
      failures: z.number(),
      checkpoint: z.object({ everySeconds: seconds(), writeSeconds: seconds(), bytes: z.number() }),
      productiveShare: share(),
    }),
    trainingSeconds: seconds(),
    wallSeconds: seconds(),
    gpuHours: z.number(),
    kilowattHours: z.number(),
    dollars: z.number(),
    curve: z
      .array(
        z.object({
          gpuCount: count(),
          wallSeconds: seconds(),
          dollars: z.number(),
          modelFlopsUtilisation: share(),
          strategy,
          strategyText,
          knee: z.boolean().describe('past it, more GPUs cost much and save little'),
        }),
      )
      .exactOptional(),
    grounds,
    spec: specText,
  }),
)
export type PlanView = WireOf<typeof plan>

export const servingPlanRequest = named(
  'ServingPlanRequest',
  'A model to serve, and what its clients ask.',
  z.strictObject({
    ...subject,
    inputTokens: positive().default(1000),
    outputTokens: positive().default(300),
    requestsPerSecond: positive().default(1),
    firstTokenMs: durationMs().exactOptional().describe('how long the first token may take'),
    perTokenMs: z.number().positive().exactOptional().describe('how long each further token may take'),
    gpusPerReplica: whole(1024).exactOptional(),
  }),
)

export const servingPlan = named(
  'ServingPlan',
  'The cheapest replicas that carry the requests: a roofline of prefill and decoding.',
  z.object({
    model: z.string(),
    gpu: z.string(),
    gpusPerReplica: count(),
    replicas: count(),
    batch: z.number().describe('requests that a replica works on at once, at the load asked for'),
    memoryBatch: z.number().describe('and at most'),
    firstTokenSeconds: seconds(),
    secondsPerToken: seconds(),
    tokensPerSecondPerReplica: z.number(),
    requestsPerSecondPerReplica: z.number(),
    weightBytesPerGpu: z.number(),
    cacheBytesPerToken: bytes(),
    dollarsPerHour: z.number(),
    dollarsPerMillionTokens: z.number(),
    limit: z.enum(['compute', 'memory', 'network']),
    grounds,
    spec: specText,
  }),
)
export type ServingPlanView = WireOf<typeof servingPlan>

export const planSubjects = named(
  'PlanSubjects',
  'What can be planned for by name; anything else is given by its numbers.',
  z.object({
    models: z.array(
      z.object({
        name: z.string(),
        parameters: z.number(),
        activeParameters: z.number().describe('those that a token passes through'),
        sequence: count().describe('tokens'),
        source: z.string(),
      }),
    ),
    gpus: z.array(
      z.object({
        name: z.string(),
        memoryBytes: bytes(),
        dollarsPerHour: z.number(),
        source: z.string(),
      }),
    ),
    clusters: z.array(
      z.object({
        name: z.string().describe('the TEMPLATE of `cluster`'),
        gpu: z.string(),
        gpusPerNode: count(),
        source: z.string(),
      }),
    ),
    software: z
      .array(z.object({ name: z.string(), title: z.string() }))
      .describe('generations of training software'),
  }),
)
export type PlanSubjects = WireOf<typeof planSubjects>
