import { describe, expect, it } from 'vitest'
import { parseAmount } from './amount.ts'
import { parseMoment } from './moment.ts'

const NOW = Date.UTC(2026, 10, 24, 12)

describe('parseMoment', () => {
  it.each([
    ['30d', NOW + 30 * 86_400_000],
    ['2026-12-24', Date.UTC(2026, 11, 24)],
    ['2026-12-24T18:00:00+01:00', Date.UTC(2026, 11, 24, 17)],
    // The 24th of November 2026 is a Tuesday: Friday ends three and a half days on, this Tuesday in a week.
    ['friday', NOW + 3.5 * 86_400_000],
    ['Tue', NOW + 7.5 * 86_400_000],
  ])('%s', (text, moment) => expect(parseMoment(text, NOW)).toEqual({ ok: true, value: moment }))

  it('refuses what is past or no time', () => {
    expect(parseMoment('2020-01-01', NOW)).toMatchObject({ error: expect.stringContaining('past') })
    expect(parseMoment('someday', NOW)).toMatchObject({ error: expect.stringContaining('no time') })
    expect(parseMoment('fried', NOW)).toMatchObject({ error: expect.stringContaining('no time') })
  })
})

describe('parseAmount', () => {
  it.each([
    ['15T', 15e12],
    ['300B', 300e9],
    ['2.5e12', 2.5e12],
    ['$1,200,000', 1.2e6],
    ['40k', 40_000],
  ])('%s is %d', (text, value) => expect(parseAmount(text)).toEqual({ ok: true, value }))

  it.each(['lots', '0', '-3', '', '3 apples'])('refuses "%s"', (text) => {
    expect(parseAmount(text)).toMatchObject({ ok: false, error: expect.stringContaining('no number') })
  })
})
