import { z } from 'zod'
import { ATTEMPT_STATES, OUTCOMES } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { actor } from './actor.ts'
import { count, durationMs, milliGpus, timeMs } from './primitives.ts'
import { checkpoint, progress, usage } from './workload.ts'

export const allocation = named(
  'Allocation',
  'What one attempt holds, in rank order.',
  z.object({
    parts: z.array(
      z.object({
        node: z.string(),
        gpus: z.array(count()),
        milliGpus: milliGpus().exactOptional().describe('share of each listed GPU; absent means whole GPUs'),
      }),
    ),
  }),
)

export const failure = named(
  'Failure',
  'Why an attempt did not succeed, and what to do next.',
  z.object({
    class: z.string(),
    message: z.string(),
    task: count().exactOptional(),
    exitCode: z.int().exactOptional(),
    signal: z.string().exactOptional(),
    node: z.string().exactOptional(),
    evidence: z.string().exactOptional(),
  }),
)

export const resize = z
  .object({ from: count(), to: count() })
  .describe('an elastic gang starts again at the other size, in nodes or GPUs')

export const attempt = named(
  'Attempt',
  'One start of a workload on one allocation.',
  z.object({
    id: z.string(),
    workload: z.string(),
    number: z.int().min(1),
    replica: count(),
    allocation,
    plannedAt: timeMs(),
    boundMs: durationMs().exactOptional(),
    isRestart: z.literal(true).exactOptional(),
    state: z.enum(ATTEMPT_STATES),
    runningAt: timeMs().exactOptional(),
    endedAt: timeMs().exactOptional(),
    stop: z
      .object({
        reason: z.string(),
        actor,
        at: timeMs(),
        signal: z.string(),
        graceMs: durationMs(),
        for: z.string().exactOptional(),
        resize: resize.exactOptional(),
      })
      .exactOptional(),
    outcome: z.enum(OUTCOMES).exactOptional(),
    usage: usage.exactOptional().describe('set when it ended'),
    failure: failure.exactOptional(),
    address: z.string().exactOptional().describe('host:port of a replica'),
    ready: z.boolean().describe('whether the replica answered its readiness probe'),
    firstProgress: progress.exactOptional().describe('what it reported first'),
    progress: progress.exactOptional(),
    checkpoint: checkpoint.exactOptional(),
    resumedFromStep: count().exactOptional(),
  }),
)
export type AttemptView = WireOf<typeof attempt>

export const logChunk = named(
  'LogChunk',
  "Part of one task's log.",
  z.object({
    attempt: z.string(),
    task: count(),
    text: z.string(),
    from: count().describe('byte offset of the first byte of `text`'),
    next: count().describe('byte offset to read on from'),
    ended: z.boolean().describe('the task has ended and this chunk reaches the end'),
  }),
)
export type LogChunkView = WireOf<typeof logChunk>
