import { z } from 'zod'
import { named, type WireOf } from '../schema.ts'
import { count, durationMs, timeMs } from './primitives.ts'

export const shareHistory = named(
  'ShareHistory',
  'What each queue has held over time, in intervals of the same length.',
  z.object({
    from: timeMs(),
    to: timeMs(),
    intervalMs: durationMs().describe('the last interval ends at `to` and may be shorter'),
    queues: z
      .array(
        z.object({
          queue: z.string(),
          guaranteedGpus: count().describe('now'),
          meanGpus: z.number().describe('over the whole time'),
          heldGpus: z.array(z.number()).describe('mean of each interval; of work that waited, nothing'),
        }),
      )
      .describe('those that held anything, those below them counted in; most first'),
  }),
)
export type ShareHistoryView = WireOf<typeof shareHistory>
