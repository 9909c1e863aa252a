import { z } from 'zod'
import { RESERVATION_KINDS } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { count, durationMs, timeMs } from './primitives.ts'

const holder = z.object({
  workload: z.string(),
  queue: z.string(),
  user: z.string(),
  gpus: z.number(),
  endsAt: timeMs().exactOptional(),
})

const window = z.object({
  id: z.string(),
  kind: z.enum(RESERVATION_KINDS),
  from: timeMs(),
  to: timeMs(),
  reason: z.string(),
})

export const blocker = named(
  'Blocker',
  'One reason why a queued workload does not start now.',
  z.object({
    kind: z.enum(['quota', 'capacity', 'shape', 'health', 'priority', 'reservation', 'limit', 'dependency']),
    message: z.string(),
    needed: z.number().exactOptional(),
    available: z.number().exactOptional(),
    unit: z.enum(['GPUs', 'nodes', 'workloads', 'GPU-hours']).exactOptional(),
    holders: z.array(holder).describe('who holds what is missing, as far as the reader may see'),
    windows: z
      .array(window)
      .exactOptional()
      .describe('calendar windows that keep what is free, as far as the reader may see'),
    earliestEndAt: timeMs().exactOptional(),
  }),
)

const counterfactual = named(
  'Counterfactual',
  'A change that was really tried on a copy of the live state, and what it brought.',
  z.object({
    change: z.looseObject({ kind: z.string() }),
    message: z.string(),
    startsNow: z.boolean(),
    startsAt: timeMs().exactOptional(),
  }),
)

export const startForecast = named(
  'StartForecast',
  'When a queued workload will start: the time by which half, and nine in ten, of the runs forward had it started.',
  z.object({
    p50At: timeMs(),
    p90At: timeMs(),
    replications: count(),
    hangsOn: z.string().exactOptional().describe('what the range depends on, in one sentence'),
  }),
)

export const explanation = named(
  'Explanation',
  'Why one queued gang does not start now: every blocker at once, worst first, and what would change it.',
  z.object({
    workload: z.string(),
    replica: count(),
    position: z.int().min(1).describe('place in the order of the queue'),
    blockers: z.array(blocker),
    counterfactuals: z.array(counterfactual),
  }),
)

export const explained = named(
  'ExplainedWorkload',
  'Why a workload is where it is.',
  z.object({
    workload: z.string(),
    name: z.string(),
    state: z.string(),
    stateReason: z.string(),
    explanations: z.array(explanation).describe('one for each gang that waits; empty when none does'),
    forecast: startForecast.exactOptional(),
    notBefore: timeMs().exactOptional(),
  }),
)
export type Explained = WireOf<typeof explained>
export type ExplanationView = WireOf<typeof explanation>

export const forecastScore = named(
  'ForecastScore',
  'How good past forecasts were.',
  z.object({
    forecasts: count().describe('forecasts whose workload has started since'),
    withinP90Share: z.number().min(0).max(1).exactOptional(),
    medianErrorMs: z.number().exactOptional().describe('start minus p50, signed'),
    medianAbsoluteErrorMs: durationMs().exactOptional(),
  }),
)
export type ForecastScore = WireOf<typeof forecastScore>
