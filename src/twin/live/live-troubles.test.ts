import { describe, expect, it } from 'vitest'
import { DAY_MS, id, MINUTE_MS } from '../../base/index.ts'
import type { EngineFact } from '../../control/index.ts'
import { LiveTroubles } from './live-troubles.ts'

const MINUTE_US = MINUTE_MS * 1000
const DAYS = 40

const factAt = (minute: number): EngineFact => ({
  kind: 'attempt-running',
  attempt: id(`w${minute % 7}.1`),
  at: minute,
})

/** A fact each minute for forty days, and minutes in which the machine was out of reach. */
function lived(factor: number, toldAllAt = -1) {
  const troubles = new LiveTroubles(factor, 3, 0, 10 * MINUTE_MS)
  const told: { readonly minute: number; readonly fact: EngineFact }[] = []
  const away: boolean[] = []
  for (let minute = 1; minute <= (DAYS * DAY_MS) / MINUTE_MS; minute++) {
    if (minute === toldAllAt) troubles.toldAll()
    for (const fact of troubles.pass([factAt(minute)], minute * MINUTE_US)) told.push({ minute, fact })
    away.push(troubles.isAway)
  }
  const losses = away.filter((isAway, i) => isAway && !away[i - 1]).length
  return { told, away, losses }
}

describe('the troubles of a live twin', () => {
  it('[T34] come at the rates asked for, and contact is lost for as long as was said at least', () => {
    const { told, away, losses } = lived(1)
    const late = told.filter(({ minute, fact }) => 'at' in fact && minute > fact.at).length
    const count = DAYS * 24 * 60
    expect(late / count).toBeGreaterThan(0.04)
    expect(late / count).toBeLessThan(0.08)
    expect(told.length / count).toBeGreaterThan(1.008)
    expect(told.length / count).toBeLessThan(1.012)
    expect(losses).toBeGreaterThan(DAYS / 2)
    expect(losses).toBeLessThan(DAYS * 1.6)
    expect(away.filter(Boolean).length).toBeGreaterThanOrEqual(losses * 10)
  })

  it('[T34] bring each fact, and those of one attempt in their order', () => {
    const { told } = lived(5)
    const seen = new Set<number>()
    const lastOf = new Map<string, number>()
    for (const { fact } of told) {
      if (!('attempt' in fact && 'at' in fact) || seen.has(fact.at)) continue
      seen.add(fact.at)
      expect(fact.at).toBeGreaterThan(lastOf.get(fact.attempt) ?? 0)
      lastOf.set(fact.attempt, fact.at)
    }
    expect(seen.size).toBeGreaterThan(DAYS * 24 * 60 - 20)
  })

  it('[T34] bring nothing that was on its way when the whole picture was told', () => {
    const told = lived(20, 1000).told.filter(({ minute }) => minute >= 1000)
    expect(told.length).toBeGreaterThan(1000)
    for (const { fact } of told) expect('at' in fact && fact.at).toBeGreaterThanOrEqual(1000)
  })
})
