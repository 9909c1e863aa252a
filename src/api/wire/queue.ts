import { z } from 'zod'
import { named, type WireOf } from '../schema.ts'
import { count, durationMs } from './primitives.ts'

const limits = {
  guaranteedDomains: z.object({ level: z.string(), count: count() }),
  limitGpus: count(),
  limitGpusPerUser: count(),
  budget: z.object({ gpuHours: z.number().min(0), windowMs: durationMs() }),
}

export const queue = named(
  'Queue',
  'One node of the tree of queues, with what it holds now.',
  z.object({
    id: z.string(),
    parent: z.string().exactOptional(),
    guaranteedGpus: count(),
    guaranteedDomains: limits.guaranteedDomains.exactOptional(),
    limitGpus: limits.limitGpus.exactOptional(),
    limitGpusPerUser: limits.limitGpusPerUser.exactOptional(),
    budget: limits.budget.exactOptional(),
    weight: z.number(),
    lendable: z.boolean(),
    heldGpus: z.number().describe('GPUs that its workloads, and those below it, hold now'),
    queuedGpus: z.number().describe('GPUs that its queued workloads ask for'),
    runningWorkloads: count(),
    queuedWorkloads: count(),
  }),
)
export type QueueView = WireOf<typeof queue>

export const queueSettings = named(
  'QueueSettings',
  'What to change of a queue; a field left out stays, and `null` takes a limit away.',
  z.strictObject({
    guaranteedGpus: count().optional(),
    guaranteedDomains: limits.guaranteedDomains.nullable().optional(),
    limitGpus: limits.limitGpus.nullable().optional(),
    limitGpusPerUser: limits.limitGpusPerUser.nullable().optional(),
    budget: limits.budget.nullable().optional(),
    weight: z.number().positive().max(1e6).optional(),
    lendable: z.boolean().optional(),
  }),
)
