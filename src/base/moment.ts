import { ok, type Result, refuse } from './result.ts'
import { parseDuration, type TimeMs } from './units.ts'

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const WEEKDAY = /^(sun|mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?)(day)?$/i

/**
 * The moment that a date (`2026-12-24`, with or without a time), a weekday (its end) or a span from now (`30d`) means, in UTC
 * where no zone is named; refused where it is none or past.
 */
export function parseMoment(text: string, now: TimeMs): Result<TimeMs, string> {
  const span = parseDuration(text)
  if (span.ok) return ok(now + span.value)
  if (WEEKDAY.test(text)) {
    const weekday = WEEKDAYS.indexOf(text.toLowerCase().slice(0, 3))
    const today = new Date(now)
    const days = (weekday - today.getUTCDay() + 7) % 7 || 7
    return ok(Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + days + 1))
  }
  const moment = Date.parse(text)
  if (Number.isNaN(moment)) {
    return refuse(`"${text}" is no time; write a date (2026-12-24), a weekday (friday) or a span (30d)`)
  }
  return moment > now ? ok(moment) : refuse(`${text} is past`)
}
