import { ok, type Result, refuse } from '../../base/index.ts'

/** More hosts than any cluster has: a longer list is a slip, and would fill the memory. */
const MOST_HOSTS = 1_000_000

/**
 * The host names of a Slurm hostlist such as `gpu-[001-128,140],login1`, in its order, duplicates kept; or what is
 * wrong with it and where. Numbers keep the width they are written with.
 */
export function parseHostlist(text: string): Result<string[], string> {
  const hosts: string[] = []
  for (const part of splitOutsideBrackets(text)) {
    if (part.trim() === '') {
      if (text.trim() === '') break
      return refuse(`the hostlist "${text}" has an empty item; remove the comma too many`)
    }
    const expanded = expand(part.trim(), MOST_HOSTS - hosts.length)
    if (!expanded.ok) return refuse(`in the hostlist "${text}": ${expanded.error}`)
    for (const host of expanded.value) hosts.push(host)
  }
  return ok(hosts)
}

/**
 * The shortest list that `parseHostlist` reads as these hosts, in an order of its own: names that differ in one
 * number of the same width stand together. Duplicates are dropped.
 */
export function formatHostlist(hosts: Iterable<string>): string {
  const groups = new Map<string, { prefix: string; suffix: string; width: number; numbers: number[] }>()
  const items: string[] = []
  for (const host of new Set(hosts)) {
    const [, prefix = '', digits, suffix = ''] = /^(.*?)(\d{1,15})(\D*)$/.exec(host) ?? []
    if (digits === undefined) {
      items.push(host)
      continue
    }
    // Without leading zeros 9 and 10 may stand in one range.
    const width = digits.startsWith('0') && digits.length > 1 ? digits.length : 0
    const padded = width > 0 ? width : digits.length
    const key = `${prefix}\0${suffix}\0${width > 0 ? `w${padded}` : 'free'}`
    const group = groups.get(key) ?? { prefix, suffix, width, numbers: [] }
    group.numbers.push(Number(digits))
    groups.set(key, group)
  }
  for (const group of mergeWidths([...groups.values()])) items.push(formatGroup(group))
  return items.sort().join(',')
}

interface Group {
  readonly prefix: string
  readonly suffix: string
  readonly width: number
  readonly numbers: number[]
}

/** `001` and `128` are of one width: numbers without leading zeros join the padded ones of their length. */
function mergeWidths(groups: readonly Group[]): Group[] {
  const merged: Group[] = groups.filter(({ width }) => width > 0).map((group) => ({ ...group }))
  for (const group of groups) {
    if (group.width > 0) continue
    const left = group.numbers.filter((number) => {
      const padded = merged.find(
        ({ prefix, suffix, width }) =>
          prefix === group.prefix && suffix === group.suffix && width === String(number).length,
      )
      padded?.numbers.push(number)
      return !padded
    })
    if (left.length > 0) merged.push({ ...group, numbers: left })
  }
  return merged
}

function formatGroup({ prefix, suffix, width, numbers }: Group): string {
  const sorted = numbers.sort((a, b) => a - b)
  const show = (number: number) => String(number).padStart(width, '0')
  const ranges: string[] = []
  for (let from = 0; from < sorted.length; ) {
    let to = from
    while (sorted[to + 1] === sorted[to]! + 1) to++
    ranges.push(from === to ? show(sorted[from]!) : `${show(sorted[from]!)}-${show(sorted[to]!)}`)
    from = to + 1
  }
  const isOne = ranges.length === 1 && sorted.length === 1
  return isOne ? `${prefix}${ranges[0]}${suffix}` : `${prefix}[${ranges.join(',')}]${suffix}`
}

function splitOutsideBrackets(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const character of text) {
    if (character === '[') depth++
    if (character === ']') depth--
    if (character === ',' && depth === 0) {
      parts.push(part)
      part = ''
    } else part += character
  }
  return [...parts, part]
}

function expand(part: string, room: number): Result<string[], string> {
  const open = part.indexOf('[')
  if (open === -1) {
    if (part.includes(']')) return refuse(`"${part}" closes a bracket that it does not open`)
    return /\s/.test(part) ? refuse(`"${part}" holds a blank`) : ok([part])
  }
  const close = part.indexOf(']', open)
  if (close === -1) return refuse(`"${part}" does not close its bracket`)
  const numbers = expandRanges(part.slice(open + 1, close), room)
  if (!numbers.ok) return numbers
  const rests = expand(part.slice(close + 1), room)
  if (!rests.ok) return rests
  if (numbers.value.length * rests.value.length > room) return refuse(`it names over ${MOST_HOSTS} hosts`)
  const prefix = part.slice(0, open)
  return ok(numbers.value.flatMap((number) => rests.value.map((rest) => `${prefix}${number}${rest}`)))
}

function expandRanges(text: string, room: number): Result<string[], string> {
  const numbers: string[] = []
  for (const range of text.split(',')) {
    const [, low, high] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(range.trim()) ?? []
    if (low === undefined) return refuse(`"${range}" is neither a number nor a range such as 001-128`)
    const [first, last] = [Number(low), Number(high ?? low)]
    if (last < first) return refuse(`the range "${range}" runs backwards`)
    if (last - first >= room - numbers.length) return refuse(`it names over ${MOST_HOSTS} hosts`)
    for (let number = first; number <= last; number++) {
      numbers.push(String(number).padStart(low.length, '0'))
    }
  }
  return ok(numbers)
}
