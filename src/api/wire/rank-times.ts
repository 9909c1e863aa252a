import { z } from 'zod'
import { STRAGGLER_RATIO } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { count, timeMs } from './primitives.ts'

const ms = () => z.number().min(0).describe('milliseconds')

export const rankTimes = named(
  'RankTimes',
  'How long each rank of the newest attempt computes in a step before it waits for the others.',
  z.object({
    report: z
      .object({
        attempt: z.string(),
        at: timeMs(),
        step: count().describe('the newest step reported'),
        reports: count().describe('how many of the newest reports the medians are of'),
        stepMs: ms()
          .exactOptional()
          .describe(
            'the whole step, in milliseconds, which is the same for all ranks because they wait for each other',
          ),
        medianMs: ms().describe('median of all ranks, in milliseconds'),
      })
      .exactOptional()
      .describe('absent where the program has not told'),
    items: z.array(
      z.object({
        rank: count().describe('global rank'),
        node: z.string(),
        computeMs: ms().describe('median of the newest reports, in milliseconds'),
        isStraggler: z
          .boolean()
          .describe(`computes more than ${STRAGGLER_RATIO} times as long as the median of all ranks`),
      }),
    ),
  }),
)
export type RankTimesView = WireOf<typeof rankTimes>
