import { z } from 'zod'
import { named, type WireOf } from '../schema.ts'
import { policy, policySettings } from './policy.ts'
import { queue, queueSettings } from './queue.ts'
import { impact } from './what-if.ts'

export const policyChange = named(
  'PolicyChange',
  'Changes of policy and queues that are made together, or not at all.',
  z.strictObject({
    policy: policySettings.optional(),
    queues: z.record(z.string().max(200), queueSettings).default({}).describe('by the names of the queues'),
    version: z
      .string()
      .max(64)
      .optional()
      .describe('of the preview; refused when policy or queues have changed since'),
    dryRun: z.boolean().default(false).describe('only show what it would do'),
  }),
)

export const policyApplied = named(
  'PolicyApplied',
  'Policy and the queues that were named, as they are now.',
  z.object({
    version: z.string().describe('another one as soon as policy or any queue is changed'),
    policy,
    queues: z.array(queue),
    impact: impact.exactOptional().describe('what the change would do, for a dry run'),
  }),
)
export type PolicyApplied = WireOf<typeof policyApplied>
