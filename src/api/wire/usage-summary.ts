import { z } from 'zod'
import { named, type WireOf } from '../schema.ts'
import { count, timeMs } from './primitives.ts'
import { usage } from './workload.ts'

export const USAGE_GROUPS = ['organisation', 'team', 'user', 'workload'] as const

export const usageSummary = named(
  'UsageSummary',
  'GPU time by whom it was used; `billed` is what a bill is made of.',
  z.object({
    from: timeMs(),
    to: timeMs(),
    by: z.enum(USAGE_GROUPS),
    rows: z.array(z.object({ key: z.string(), name: z.string().exactOptional(), workloads: count(), usage })),
    total: usage,
  }),
)
export type UsageSummary = WireOf<typeof usageSummary>
