import { z } from 'zod'
import { WORKLOAD_STATES } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { owner } from './actor.ts'
import { explanation, startForecast } from './explanation.ts'
import { count, durationMs, gpuMs, timeMs } from './primitives.ts'
import { workloadSpec } from './spec.ts'

export const progress = named(
  'Progress',
  'What a running program said of itself in its progress file.',
  z.object({
    at: timeMs(),
    step: count(),
    totalSteps: count().exactOptional(),
    loss: z.number().exactOptional(),
    tokens: z.number().exactOptional(),
  }),
)

export const checkpoint = named(
  'Checkpoint',
  'The newest checkpoint that the program declared durable.',
  z.object({ at: timeMs(), step: count(), path: z.string() }),
)

export const usage = named(
  'Usage',
  'GPU-milliseconds: all that were held, those that are billed, those that failures lost.',
  z.object({ held: gpuMs(), billed: gpuMs(), lost: gpuMs() }),
)

export const workload = named(
  'Workload',
  'A workload with its state.',
  z.object({
    id: z.string(),
    owner,
    queue: z.string(),
    spec: workloadSpec,
    submittedAt: timeMs(),
    predictedMs: durationMs()
      .exactOptional()
      .describe(
        'how long it runs by what past runs said at its submission; absent where it never ends by itself',
      ),
    timeLeft: z
      .object({ ms: durationMs(), at: timeMs(), stepMs: z.number().positive() })
      .exactOptional()
      .describe(
        "how long it still runs from `at` on by its program's own reports, and the pace of a step; absent until they tell it",
      ),
    waitsFor: z.array(z.string()).describe('workloads that must still succeed first'),
    state: z.enum(WORKLOAD_STATES),
    stateSince: timeMs(),
    stateReason: z.string(),
    firstStartedAt: timeMs().exactOptional(),
    attemptCount: count(),
    liveAttempts: z.array(z.string()),
    userFailures: count(),
    platformFailures: count(),
    notBefore: timeMs(),
    avoidedNodes: z.array(z.object({ node: z.string(), until: timeMs() })),
    cutOff: z
      .array(count())
      .exactOptional()
      .describe('replicas that the platform or other work cut off and that have not started again'),
    progress: progress.exactOptional(),
    firstLoss: z.number().exactOptional(),
    checkpoint: checkpoint.exactOptional(),
    usage,
    gpus: z.number().describe('GPUs held now, or asked for while nothing is held'),
    actions: z.array(z.string()).describe('what a person may do with it in this state'),
    forecast: startForecast.exactOptional().describe('when it will start, while it waits'),
    endsAt: timeMs().exactOptional().describe('when it will end, by its progress or its own estimate'),
    pace: z
      .object({
        plannedStepMs: z.number().describe('milliseconds, as planned when it was submitted'),
        measuredStepMs: z.number().exactOptional().describe('milliseconds, by the progress of this attempt'),
        ratio: z.number().exactOptional().describe('measured over planned'),
        isWithinBand: z.boolean().exactOptional().describe('whether the plan expects to be off by so much'),
      })
      .exactOptional()
      .describe('plan against actual, of a live run that declared its `plan`'),
    readyReplicas: count().exactOptional().describe('of a `serve` workload'),
  }),
)
export type WorkloadView = WireOf<typeof workload>

/** A spec as people write it: the text of a YAML file, or the same fields as JSON. */
const writtenSpec = z.union([z.string(), z.record(z.string(), z.unknown())])

export const submitRequest = named(
  'SubmitRequest',
  'A workload to submit. `spec` is the text of a spec file, or its fields as JSON; both are described in docs/spec.md.',
  z.strictObject({
    spec: writtenSpec,
    file: z.string().max(4096).default('spec').describe('how messages name the spec'),
    folder: z
      .string()
      .max(4096)
      .startsWith('/', 'must be an absolute path')
      .optional()
      .describe('absolute folder that a relative or absent `workdir` is taken from'),
    set: z
      .record(z.string(), z.string())
      .default({})
      .describe('fields to put into the spec, path to YAML text: `{"checkpoint.every": "5m"}`'),
    team: z
      .string()
      .max(200)
      .optional()
      .describe("the team to charge; `spec.team` and the caller's first team follow"),
    dryRun: z.boolean().default(false).describe('say what would happen, and submit nothing'),
  }),
)

const outlook = named(
  'Outlook',
  'What submitting would lead to.',
  z.object({
    name: z.string(),
    startsNow: z.boolean(),
    nodes: z.array(z.string()).describe('where it would start, if it starts now'),
    domain: z
      .array(z.string())
      .describe('the smallest domain that holds these nodes, as its path from the outermost level'),
    explanation: explanation.exactOptional(),
    forecast: startForecast.exactOptional(),
  }),
)

export const submitted = named(
  'Submitted',
  'What a submission made: one workload, or one for each index of an array.',
  z.object({
    dryRun: z.boolean(),
    replayed: z.boolean().describe('true when this idempotency key had made these workloads before'),
    workloads: z.array(workload).describe('empty for a dry run'),
    specs: z.array(workloadSpec).describe('what was understood; filled for a dry run'),
    outlook: z.array(outlook).describe('filled for a dry run'),
  }),
)
export type Submitted = WireOf<typeof submitted>
