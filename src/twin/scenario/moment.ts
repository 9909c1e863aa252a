import { DAY_MS, ok, parseDuration, type Result, refuse, type TimeMs } from '../../base/index.ts'
import type { Moment } from './scenario.ts'

/** `2017-10-01`, `2017-10-01T12:00:00Z`, plain seconds of the trace, or a span such as `30d` from its beginning. */
export function parseMoment(text: string): Result<Moment, string> {
  if (/^\d+(\.\d+)?$/.test(text)) return ok({ kind: 'seconds', ms: Math.round(Number(text) * 1000) })
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    const wholeDay = text.length === 10
    const ms = Date.parse(
      wholeDay ? `${text}T00:00:00Z` : /[Z+]|-\d\d:\d\d$/.test(text.slice(10)) ? text : `${text}Z`,
    )
    return Number.isNaN(ms) ? refuse(`"${text}" is not a date`) : ok({ kind: 'date', ms, wholeDay })
  }
  const span = parseDuration(text)
  return span.ok
    ? ok({ kind: 'seconds', ms: span.value })
    : refuse(`"${text}" is no date such as 2017-10-01, no seconds and no span such as 30d`)
}

/**
 * The moment in the trace's own milliseconds. As an end, a date without a time of day takes that whole day in. Refused
 * for a date in a trace whose epoch nobody knows.
 */
export function momentInTrace(
  moment: Moment,
  epochMs: TimeMs | undefined,
  isEnd: boolean,
): Result<TimeMs, string> {
  if (moment.kind === 'seconds') return ok(moment.ms)
  if (epochMs === undefined) {
    return refuse(
      'the trace counts seconds from a beginning whose date is not known; give its date with --epoch, or --from and --to in seconds or spans such as 30d',
    )
  }
  return ok(moment.ms - epochMs + (isEnd && moment.wholeDay ? DAY_MS : 0))
}

/** The moment as people would write it after `--from`: a date where the trace's epoch is known, else its seconds. */
export function momentText(atMs: TimeMs, epochMs: TimeMs | undefined): string {
  return epochMs === undefined ? `${Math.floor(atMs / 1000)}` : new Date(epochMs + atMs).toISOString()
}
