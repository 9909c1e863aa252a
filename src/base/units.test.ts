import { describe, expect, it } from 'vitest'
import { DAY_MS, formatDuration, HOUR_MS, MINUTE_MS, parseBytes, parseDuration, SECOND_MS } from './units.ts'

describe('parseDuration', () => {
  it.each([
    ['90s', 90 * SECOND_MS],
    ['1h30m', 90 * MINUTE_MS],
    ['1h 30m', 90 * MINUTE_MS],
    ['1.5h', 90 * MINUTE_MS],
    ['250ms', 250],
    ['2d', 2 * DAY_MS],
    ['1-12:00:00', 36 * HOUR_MS],
    ['01:30:00', 90 * MINUTE_MS],
    ['05:30', 5 * MINUTE_MS + 30 * SECOND_MS],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: ms })
  })

  it.each(['90', '', 'soon', '1h-', '5 fortnights', '1h30'])('refuses %j and says what to write', (text) => {
    expect(parseDuration(text)).toMatchObject({
      ok: false,
      error: expect.stringMatching(/for example|use ms/),
    })
  })
})

describe('formatDuration', () => {
  it.each([
    [340, '340ms'],
    [12 * SECOND_MS, '12s'],
    [90 * MINUTE_MS, '1h 30m'],
    [2 * DAY_MS + 4 * HOUR_MS + MINUTE_MS, '2d 4h'],
    [HOUR_MS, '1h'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})

describe('parseBytes', () => {
  it('tells powers of ten from powers of two', () => {
    expect(parseBytes('80GB')).toEqual({ ok: true, value: 80e9 })
    expect(parseBytes('80GiB')).toEqual({ ok: true, value: 80 * 2 ** 30 })
    expect(parseBytes('80')).toMatchObject({ ok: false })
  })
})
