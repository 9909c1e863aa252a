import type { Pass } from './pass.ts'
import { groupsInTurn } from './turns.ts'
import type { Entry, Group } from './waiting.ts'

/**
 * Where each gang stands in the line that a pass has left: first those that it served, in that order, then the others as
 * they would have their turns if nothing more started. Counted by groups and lanes, so that nobody's turn has to be played.
 */
export class PlacesInLine {
  private readonly served = new Map<Entry, number>()
  /** Gangs before the group's first one. */
  private readonly before = new Map<Group, number>()
  /** Where those that were served stand among all, ascending. */
  private readonly gone: readonly number[]
  private readonly length: number

  constructor(pass: Pass) {
    const { machine, now } = pass
    const served = [...(pass.served?.keys() ?? [])]
    for (const entry of served) this.served.set(entry, this.served.size + 1)
    let length = 0
    for (const group of groupsInTurn(machine, now)) {
      this.before.set(group, length)
      for (const { entries } of group.lanes) length += entries.length
    }
    this.length = length
    const gone = served.filter(({ lane }) => lane).map((entry) => this.among(entry))
    this.gone = gone.sort((a, b) => a - b)
  }

  /** From 1; what is not in line yet comes after it. */
  of(entry: Entry): number {
    const served = this.served.get(entry)
    if (served !== undefined) return served
    const inLine = this.served.size - this.gone.length
    if (!entry.lane) return inLine + this.length + 1
    const at = this.among(entry)
    const goneBefore = firstIndex(this.gone.length, (i) => this.gone[i]! > at)
    return this.served.size + at - goneBefore + 1
  }

  /** How many stand before it, those that were served included. */
  private among(entry: Entry): number {
    const { group } = entry.lane!
    let before = this.before.get(group)!
    for (const { entries } of group.lanes) before += entries.placeOf(entry)
    return before
  }
}

/** The first index from 0 for which it holds, given that it holds for all after; `length` when it holds for none. */
function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
