import { z } from 'zod'
import { SPAN_CAUSES } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { count, gpuMs, timeMs } from './primitives.ts'
import { USAGE_GROUPS } from './usage-summary.ts'

const NAMES = Object.fromEntries(SPAN_CAUSES.map((cause) => [cause, gpuMs()])) as Record<
  (typeof SPAN_CAUSES)[number],
  ReturnType<typeof gpuMs>
>

const billLine = named(
  'BillLine',
  'GPU-milliseconds and money of one group.',
  z.object({
    key: z.string(),
    name: z.string().exactOptional().describe('of a workload'),
    held: gpuMs(),
    billed: gpuMs().describe('of it billed'),
    notBilled: gpuMs().describe('of it not billed, because platform failures or other work cost it'),
    byCause: z
      .object(NAMES)
      .describe('`held` by what it was taken up with; `queue` was asked for and not held'),
    open: gpuMs().describe('of `held`, by attempts that have not ended: less of it may be billed in the end'),
    amount: z.number().describe('in `currency`; 0 where nothing has a price'),
  }),
)

export const bill = named(
  'Bill',
  'GPU time in a period, what of it is billed, and what it costs.',
  z.object({
    from: timeMs(),
    to: timeMs(),
    by: z.enum(USAGE_GROUPS),
    currency: z.string().exactOptional().describe('ISO 4217; absent while the cluster has no prices'),
    rows: z.array(billLine).describe('most expensive first'),
    otherCount: count().describe('rows beyond `limit`, which are together in `others`'),
    others: billLine,
    total: billLine,
    models: z.array(
      z.object({
        gpuModel: z.string(),
        held: gpuMs(),
        billed: gpuMs(),
        amount: z.number(),
        isPriced: z.boolean().describe('whether all of it had a price'),
      }),
    ),
  }),
)
export type Bill = WireOf<typeof bill>

const currency = () => z.string().regex(/^[A-Z]{3}$/, 'use three capital letters, such as EUR')
const perGpuHour = () =>
  z
    .record(z.string().min(1).max(100), z.number().min(0).max(1e6))
    .describe('by GPU model, or how its name begins; the longest that fits counts')

export const prices = named(
  'Prices',
  'What GPU-hours cost. Each list holds until the next begins.',
  z.object({
    currency: z.string().describe('ISO 4217; empty while there are no prices'),
    lists: z.array(z.object({ since: timeMs(), perGpuHour: perGpuHour() })),
    gpuModels: z
      .array(z.object({ gpuModel: z.string(), perGpuHour: z.number().exactOptional() }))
      .describe('the models that the cluster has, with their price now'),
  }),
)
export type PricesView = WireOf<typeof prices>

export const priceList = named(
  'PriceList',
  'What GPU-hours cost from a time on.',
  z.strictObject({
    currency: currency(),
    since: timeMs()
      .optional()
      .describe('lists from then on are replaced; now when left out, or 0 where there are no prices yet'),
    perGpuHour: perGpuHour(),
  }),
)
