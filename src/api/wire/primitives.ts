import { z } from 'zod'

export const timeMs = () => z.int().min(0).describe('milliseconds since the Unix epoch')
export const durationMs = () => z.int().min(0).describe('milliseconds')
export const count = () => z.int().min(0)
export const bytes = () => z.int().min(0).describe('bytes')
export const milliGpus = () => z.int().min(0).describe('thousandths of a GPU')
export const gpuMs = () => z.number().min(0).describe('GPU-milliseconds')

/** Names that people give: they stand in URLs, queue ids and process names. */
const NAME_PATTERN = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/
export const name = () =>
  z
    .string()
    .regex(NAME_PATTERN, 'use 1 to 63 of a-z, 0-9, ".", "_" and "-", with a letter or digit at both ends')

/** A whole-number page size and an opaque place to go on from. */
export const paging = {
  limit: z.int().min(1).max(1000).default(100).describe('at most this many items'),
  cursor: z.string().max(500).optional().describe('`next` of the page before'),
}

/** One page of a list; `next` is absent on the last. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().exactOptional() })
}

/** A list that always comes whole. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item) })
}
