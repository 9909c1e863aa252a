import { z } from 'zod'
import { PRIORITY_CLASSES } from '../../model/index.ts'
import { named } from '../schema.ts'
import { bytes, count, durationMs, milliGpus, timeMs } from './primitives.ts'

const shape = named(
  'ResourceShape',
  'How much is asked for: whole or partial nodes, GPUs on as few nodes as possible, or a share of one GPU.',
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('nodes'), nodes: count(), gpusPerNode: count().exactOptional() }),
    z.object({ kind: z.literal('gpus'), gpus: count() }),
    z.object({ kind: z.literal('fraction'), milliGpus: milliGpus() }),
  ]),
)

export const resources = named(
  'ResourceRequest',
  'What one attempt needs from the machine.',
  z.object({
    shape,
    gpu: z
      .object({
        models: z.array(z.string()).exactOptional(),
        minMemoryBytes: bytes().exactOptional(),
        maxMemoryBytes: bytes().exactOptional(),
      })
      .exactOptional(),
    within: z
      .object({
        level: z.string(),
        mode: z.enum(['required', 'preferred']),
        waitMs: durationMs().exactOptional(),
      })
      .exactOptional(),
    segment: z.object({ nodes: count(), level: z.string() }).exactOptional(),
    spread: z.object({ level: z.string(), mode: z.enum(['required', 'preferred']) }).exactOptional(),
    elastic: z.object({ min: count(), max: count() }).exactOptional(),
    cpuMilli: count().exactOptional().describe('thousandths of a core on each node'),
    memoryMib: count().exactOptional().describe('MiB on each node'),
  }),
)

const program = named(
  'Program',
  'What the tasks of an attempt run and see.',
  z.object({
    run: z.array(z.string()),
    env: z.record(z.string(), z.string()),
    workdir: z.string(),
    image: z.string().exactOptional(),
    tasksPer: z.enum(['gpu', 'node']),
  }),
)

const runDeclaration = named(
  'RunDeclaration',
  'What a training run says of itself; its step time and, with `gpus: auto`, its size are planned by it.',
  z.object({
    model: z.string(),
    shape: z
      .object({
        layers: count(),
        hidden: count(),
        heads: count(),
        kvHeads: count().exactOptional(),
        ffn: count().exactOptional(),
        vocabulary: count().exactOptional(),
        experts: count().exactOptional(),
        topK: count().exactOptional(),
        expertFfn: count().exactOptional(),
      })
      .exactOptional(),
    tokens: z.number().exactOptional(),
    steps: count().exactOptional(),
    batch: count().exactOptional(),
    sequence: count().exactOptional(),
    precision: z.enum(['bf16', 'fp8', 'fp4']).exactOptional(),
    finishBy: z.string().exactOptional(),
    budget: z.number().exactOptional().describe('dollars'),
  }),
)

const plannedRun = named(
  'PlannedRun',
  'What was planned for a declared run when it was submitted.',
  z.object({
    gpus: count(),
    gpu: z.string().describe('the GPU that it was planned for'),
    stepMs: z.number().min(0).describe('milliseconds'),
    relativeError: z.number().describe('two thirds of predictions are off by no more than this share'),
    steps: count(),
    wallMs: durationMs().describe('milliseconds, with failures and checkpoints'),
    dollars: z.number(),
    strategy: z.string(),
    why: z.string().describe('why this size'),
  }),
)

const common = {
  name: z.string(),
  priority: z.enum(PRIORITY_CLASSES),
  resources,
  program,
  retry: z.object({ user: count(), platform: count() }),
  expectedMs: durationMs().exactOptional(),
  limitMs: durationMs().exactOptional(),
  warning: z.object({ signal: z.string(), beforeMs: durationMs() }).exactOptional(),
  notBefore: timeMs().exactOptional(),
  onlyNodes: z.array(z.string()).exactOptional(),
  exceptNodes: z.array(z.string()).exactOptional(),
  preemptible: z.boolean(),
}

/** A spec as Banyan understood it: defaults filled in, units resolved. What people write is described in docs/spec.md. */
export const workloadSpec = named(
  'WorkloadSpec',
  'A workload as its user meant it: defaults filled in, units resolved.',
  z.discriminatedUnion('type', [
    z.object({
      type: z.literal('train'),
      ...common,
      checkpoint: z
        .object({ path: z.string(), everyMs: durationMs().exactOptional(), graceMs: durationMs() })
        .exactOptional(),
      dependsOn: z.array(z.string()),
      plan: runDeclaration.exactOptional(),
      planned: plannedRun.exactOptional(),
      arrayIndex: count().exactOptional(),
    }),
    z.object({
      type: z.literal('serve'),
      ...common,
      model: z.string(),
      replicas: count(),
      readiness: z.object({ path: z.string(), timeoutMs: durationMs(), everyMs: durationMs() }),
    }),
    z.object({ type: z.literal('machines'), ...common, count: count() }),
  ]),
)
