import type { Place } from './place.ts'

const MOST_MEMBERS = 10_000
const LARGEST_INDEX = 1_000_000_000

/** The indices of `0-9`, `0-9:2`, `1,3,7-9` or a list of numbers, in order and each once. */
export function readArray(place: Place): readonly number[] | undefined {
  const { items } = place
  const texts = items ? items.map((item) => item.scalarText) : place.scalarText.split(',')
  const indices = new Set<number>()
  for (const [position, text] of texts.entries()) {
    const at = items?.[position] ?? place
    const range = rangeOf(text.trim())
    if (!range) {
      return text.includes('%')
        ? at.fail(`"${text}": a bound of how many run at once (%) is not built yet; leave it out`)
        : at.fail(`needs indices such as 0-9, 0-9:2 or 1,3,7-9, found ${at.found}`)
    }
    const { first, last, step } = range
    if (last < first) return at.fail(`the range ${text.trim()} is the wrong way round`)
    if (last > LARGEST_INDEX) return at.fail(`the index ${last} is larger than ${LARGEST_INDEX}`)
    if (step < 1) return at.fail(`the step of ${text.trim()} must be at least 1`)
    if ((last - first) / step + indices.size >= MOST_MEMBERS) {
      return at.fail(`makes more than ${MOST_MEMBERS} workloads; cut it into several submissions`)
    }
    for (let index = first; index <= last; index += step) indices.add(index)
  }
  if (indices.size === 0) return place.fail('the list is empty')
  return [...indices].sort((a, b) => a - b)
}

function rangeOf(text: string): { first: number; last: number; step: number } | undefined {
  const match = /^(\d{1,12})(?:-(\d{1,12})(?::(\d{1,12}))?)?$/.exec(text)
  if (!match) return undefined
  const [, first, last = first, step = '1'] = match
  return { first: Number(first), last: Number(last), step: Number(step) }
}
