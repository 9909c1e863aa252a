import { z } from 'zod'
import { PRIORITY_CLASSES, WORKLOAD_TYPES } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { owner } from './actor.ts'
import { blocker, startForecast } from './explanation.ts'
import { count, timeMs } from './primitives.ts'

export const waiting = named(
  'Waiting',
  'One gang that waits, at its place in the line.',
  z.object({
    position: z.int().min(1).describe('place in the order of the queue, those of others counted'),
    workload: z.string(),
    replica: count(),
    name: z.string(),
    type: z.enum(WORKLOAD_TYPES),
    priority: z.enum(PRIORITY_CLASSES),
    owner,
    queue: z.string(),
    gpus: z.number().describe('GPUs that it asks for'),
    submittedAt: timeMs(),
    blockers: z.array(blocker).describe('why it does not start now, worst first'),
    forecast: startForecast.exactOptional(),
  }),
)
export type WaitingView = WireOf<typeof waiting>
