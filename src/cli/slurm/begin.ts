import {
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  ok,
  type Result,
  refuse,
  SECOND_MS,
  type TimeMs,
} from '../../base/index.ts'

const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(?:s|sec|seconds?)?$/, SECOND_MS],
  [/^(?:m|min|minutes?)$/, MINUTE_MS],
  [/^(?:h|hours?)$/, HOUR_MS],
  [/^(?:d|days?)$/, DAY_MS],
  [/^(?:w|weeks?)$/, 7 * DAY_MS],
]
const HOURS: Readonly<Record<string, number>> = {
  midnight: 0,
  noon: 12,
  elevenses: 11,
  fika: 15,
  teatime: 16,
}

/**
 * The moment that sbatch's --begin means, in the time zone of where it is typed; undefined for one that has come. A
 * time of day that is past is tomorrow's. Source: sbatch(1), --begin.
 */
export function parseBegin(text: string, now: TimeMs): Result<TimeMs | undefined, string> {
  const word = text.trim().toLowerCase()
  const moment = word.startsWith('now')
    ? afterNow(word.slice(3), now)
    : (atTime(word, now) ?? onDate(word, now))
  if (moment === undefined || Number.isNaN(moment)) {
    return refuse(
      `"${text}" is no time; write now+2hours, 16:00, tomorrow, noon, 2026-12-24 or 2026-12-24T08:00`,
    )
  }
  return ok(moment > now ? moment : undefined)
}

function afterNow(rest: string, now: TimeMs): TimeMs | undefined {
  if (rest === '') return now
  const [, count, unit = ''] = /^\+(\d+)([a-z]*)$/.exec(rest) ?? []
  const unitMs = UNITS.find(([names]) => names.test(unit))?.[1]
  return count === undefined || unitMs === undefined ? undefined : now + Number(count) * unitMs
}

function atTime(word: string, now: TimeMs): TimeMs | undefined {
  const today = new Date(now)
  if (word === 'today') return now
  if (word === 'tomorrow') return onDay(today, 1, 0, 0, 0)
  const [, hours, minutes, seconds = '0', half] = /^(\d{1,2}):(\d\d)(?::(\d\d))?\s*(am|pm)?$/.exec(word) ?? []
  const named = HOURS[word]
  if (named === undefined && hours === undefined) return undefined
  const hour = named ?? (half === undefined ? Number(hours) : (Number(hours) % 12) + (half === 'pm' ? 12 : 0))
  if (hour > 23 || Number(minutes ?? 0) > 59 || Number(seconds) > 59) return Number.NaN
  const at = (days: number) => onDay(today, days, hour, Number(minutes ?? 0), Number(seconds))
  return at(0) > now ? at(0) : at(1)
}

function onDate(word: string, now: TimeMs): TimeMs | undefined {
  const [, date = '', hours = '0', minutes = '0', seconds = '0'] =
    /^([\d/-]+)(?:[t-](\d\d):(\d\d)(?::(\d\d))?)?$/.exec(word) ?? []
  const year = new Date(now).getFullYear()
  const [, y, m, d] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date) ?? []
  const [, month, day, short] = /^(\d\d)\/?(\d\d)\/?(\d\d)?$/.exec(date) ?? []
  if (y === undefined && month === undefined) return undefined
  const parts = [y ?? (short === undefined ? year : 2000 + Number(short)), m ?? month, d ?? day].map(Number)
  const moment = new Date(
    parts[0]!,
    parts[1]! - 1,
    parts[2]!,
    Number(hours),
    Number(minutes),
    Number(seconds),
  )
  // 31 February would be a day in March.
  return moment.getMonth() === parts[1]! - 1 ? moment.getTime() : Number.NaN
}

function onDay(today: Date, days: number, hour: number, minute: number, second: number): TimeMs {
  return new Date(
    today.getFullYear(),
    today.getMonth(),
    today.getDate() + days,
    hour,
    minute,
    second,
  ).getTime()
}
