import { z } from 'zod'
import { PRIORITY_CLASSES } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { policySettings } from './policy.ts'
import { count, timeMs } from './primitives.ts'
import { queueSettings } from './queue.ts'
import { reservationSettings } from './reservation.ts'

const whatIfEdit = named(
  'WhatIfEdit',
  'One change to try on a copy of the live state.',
  z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('add-nodes'),
      count: z.int().min(1).max(100_000),
      like: z.string().optional().describe('id of the node to copy; the first node when left out'),
    }),
    z.strictObject({ kind: z.literal('remove-nodes'), nodes: z.array(z.string()).min(1) }),
    z.strictObject({ kind: z.literal('set-queue'), queue: z.string(), settings: queueSettings }),
    z.strictObject({
      kind: z.literal('set-priority'),
      workload: z.string(),
      priority: z.enum(PRIORITY_CLASSES),
    }),
    z.strictObject({ kind: z.literal('reserve'), reservation: reservationSettings }),
    z.strictObject({ kind: z.literal('cancel-reservation'), reservation: z.string() }),
    z.strictObject({ kind: z.literal('set-policy'), settings: policySettings }),
    z.strictObject({ kind: z.literal('stop'), workload: z.string() }),
    z.strictObject({
      kind: z.literal('submit'),
      spec: z.union([z.string(), z.record(z.string(), z.unknown())]),
      team: z.string().optional(),
    }),
  ]),
)

export const whatIfRequest = named(
  'WhatIfRequest',
  'Changes to try together.',
  z.strictObject({ edits: z.array(whatIfEdit).min(1).max(100) }),
)

const fate = z
  .object({
    state: z.enum(['running', 'starts', 'waits', 'evicted', 'absent']),
    p50At: timeMs().exactOptional(),
    p90At: timeMs().exactOptional(),
  })
  .describe('what happens to it; times are of its start')

export const impact = named(
  'Impact',
  'What a change would do to the workloads that the reader may see.',
  z.object({
    effects: z.array(
      z.object({
        workload: z.string(),
        name: z.string(),
        effect: z.enum(['earlier', 'later', 'same', 'evicted', 'never', 'new']),
        before: fate,
        after: fate,
      }),
    ),
    counts: z.object({ earlier: count(), later: count(), same: count(), evicted: count(), never: count() }),
    notes: z.array(z.string()),
  }),
)
export type Impact = WireOf<typeof impact>
