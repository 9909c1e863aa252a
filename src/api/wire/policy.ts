import { z } from 'zod'
import { ORDERINGS, RUN_TIME_SOURCES } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { count, durationMs } from './primitives.ts'

const settings = z.object({
  name: z.string().min(1).max(63),
  ordering: z.enum(ORDERINGS),
  preemptByOrdering: z.boolean(),
  runTimes: z.enum(RUN_TIME_SOURCES).describe('`exact` exists only in the twin'),
  serviceLevels: z.array(z.number().positive()).max(16).describe('GPU-hours'),
  serviceSizeWeight: z.number().min(0).max(4),
  backfill: z.enum(['strict', 'holds', 'greedy']),
  holdDepth: count().max(64),
  consolidate: z.boolean(),
  reclaim: z.boolean(),
  preempt: z.boolean(),
  reclaimGraceMs: durationMs(),
  minimumRunMs: durationMs(),
  growAfterMs: durationMs(),
  evictionGraceMs: durationMs(),
  usageHalfLifeMs: z.int().min(1).describe('milliseconds'),
  entryPenaltyMs: durationMs(),
})

export const policy = named(
  'Policy',
  'The settings of the scheduler.',
  settings.extend({ version: z.literal(1) }),
)
export type PolicyView = WireOf<typeof policy>

export const policySettings = named(
  'PolicySettings',
  'What to change of the policy; a field left out stays.',
  settings
    .partial()
    .extend({ version: z.literal(1).optional() })
    .strict(),
)
