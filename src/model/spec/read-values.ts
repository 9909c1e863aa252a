import { parseDuration } from '../../base/index.ts'
import { didYouMean } from './nearest.ts'
import type { Place } from './place.ts'

/** Readers give a value, or undefined after recording a fault of the place. */
export type Reader<Value> = (place: Place) => Value | undefined

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/

/** Text that can stand in a command or a path: not empty, no NUL. */
export const readText: Reader<string> = (place) => {
  const { scalar } = place
  if (typeof scalar === 'number' || typeof scalar === 'boolean') {
    return place.fail(`needs text, found ${place.found}; write it in quotes`)
  }
  if (typeof scalar !== 'string') return place.expected('text')
  if (scalar.trim() === '') return place.fail('needs text, found only blanks')
  if (scalar.includes('\0')) return place.fail('holds a NUL character, which no command or path can')
  return scalar
}

export const readName: Reader<string> = (place) => {
  const text = readText(place)
  if (text === undefined || NAME.test(text)) return text
  return place.fail(
    `"${text.slice(0, 70)}" is not a name; use at most 63 of a-z, 0-9, ".", "_" and "-", with a letter or digit at both ends`,
  )
}

export const readBoolean: Reader<boolean> = (place) => {
  const { scalar } = place
  return typeof scalar === 'boolean' ? scalar : place.expected('true or false')
}

/** A whole number of at least `min`. */
export function readWhole(min: number, max = 1_000_000): Reader<number> {
  return (place) => {
    const { scalar } = place
    if (typeof scalar !== 'number' || !Number.isInteger(scalar)) {
      const hint =
        typeof scalar === 'string' && /^-?\d+$/.test(scalar.trim()) ? '; write it without quotes' : ''
      return place.fail(`needs a whole number from ${min}, found ${place.found}${hint}`)
    }
    if (scalar < min) return place.fail(`must be at least ${min}, found ${place.found}`)
    if (scalar > max) return place.fail(`must be at most ${max}, found ${place.found}`)
    return scalar
  }
}

export function readOneOf<const Name extends string>(names: readonly Name[]): Reader<Name> {
  return (place) => {
    const { scalar } = place
    const name = names.find((known) => known === scalar)
    if (name !== undefined) return name
    const hint = typeof scalar === 'string' ? didYouMean(scalar, names) : ''
    return place.fail(`needs ${alternatives(names)}, found ${place.found}${hint}`)
  }
}

function alternatives(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

/** Milliseconds, at least one. */
export const readDuration: Reader<number> = (place) => {
  const { scalar } = place
  if (typeof scalar === 'number') {
    return place.fail(
      `needs a time span with its unit, found ${place.found}; write for example ${scalar}s or ${scalar}m`,
    )
  }
  if (typeof scalar !== 'string') return place.expected('a time span such as 90s, 1h30m or 2d')
  const parsed = parseDuration(scalar)
  if (!parsed.ok) return place.fail(parsed.error)
  if (parsed.value < 1) return place.fail(`must be longer than nothing, found ${place.found}`)
  return Number.isSafeInteger(parsed.value) ? parsed.value : place.fail(`is too long: ${place.found}`)
}

/** A moment with its zone, so that it means the same wherever it is read: `2026-12-24T08:00:00Z`. */
export const readMoment: Reader<number> = (place) => {
  const { scalar } = place
  const isMoment =
    typeof scalar === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(scalar)
  const moment = isMoment ? Date.parse(scalar) : Number.NaN
  return Number.isNaN(moment) ? place.expected('a moment with its zone such as 2026-12-24T08:00:00Z') : moment
}

/** One value, or a list of at least one. */
export function readOneOrMore<Value>(read: Reader<Value>): Reader<readonly Value[]> {
  return (place) => {
    const { items } = place
    if (!items) {
      const value = read(place)
      return value === undefined ? undefined : [value]
    }
    if (items.length === 0) return place.fail('the list is empty')
    const values = items.map(read)
    return values.every((value) => value !== undefined) ? values : undefined
  }
}
