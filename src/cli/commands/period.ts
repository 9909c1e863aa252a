import { parseDuration } from '../../base/index.ts'
import { CliFailure } from '../failure.ts'

/** A date, or a span before now. */
export function momentOf(flag: string, text: string | undefined): ((now: number) => number) | undefined {
  if (text === undefined) return undefined
  const span = parseDuration(text)
  if (span.ok) return (now) => now - span.value
  const date = Date.parse(text)
  if (!Number.isNaN(date)) return () => date
  throw new CliFailure(
    'usage',
    `${flag} takes a date such as 2026-11-01 or a span back such as 7d, not "${text}"`,
  )
}
