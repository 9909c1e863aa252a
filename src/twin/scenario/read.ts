import { ok, type Result, refuse } from '../../base/index.ts'
import type { RunDeclaration } from '../../model/index.ts'
import { didYouMean } from '../../model/spec/nearest.ts'
import { Place } from '../../model/spec/place.ts'
import { formatSpecProblem, type SpecProblem } from '../../model/spec/problem.ts'
import { readDeclaration as readPlan } from '../../model/spec/read-plan.ts'
import {
  type Reader,
  readBoolean,
  readDuration,
  readOneOf,
  readText,
  readWhole,
} from '../../model/spec/read-values.ts'
import { readYaml } from '../../model/spec/read-yaml.ts'
import type { Span } from './scenario.ts'

export type { Reader, SpecProblem }
export { formatSpecProblem, Place, readBoolean, readDuration, readOneOf, readText, readWhole }

/** Reads the one mapping of a YAML text with `read`, or tells everything that is wrong with it, each with its place. */
export function readDocument<Value>(
  text: string,
  file: string,
  begins: string,
  read: (top: Place) => Value | undefined,
): Result<Value, readonly SpecProblem[]> {
  const { source, top } = readYaml(text, file, {}, begins)
  const value = top && read(top)
  return value !== undefined && source.problems.length === 0 ? ok(value) : refuse(source.problems)
}

/** The fields of a mapping, each with a reader; others are faults that name the nearest known one. */
export class Fields {
  readonly #place: Place
  readonly #values: ReadonlyMap<string, Place>

  private constructor(place: Place, values: ReadonlyMap<string, Place>) {
    this.#place = place
    this.#values = values
  }

  static of(place: Place, known: readonly string[]): Fields | undefined {
    const entries = place.entries()
    if (!entries) return place.expected(`a mapping of ${known.join(', ')}`)
    for (const [name, value] of entries) {
      if (!known.includes(name))
        value.fail(`unknown field${didYouMean(name, known)}; known here: ${known.join(', ')}`)
    }
    return new Fields(place, new Map(entries))
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** What the reader makes of the field; undefined where it is absent or faulty. */
  read<Value>(name: string, reader: Reader<Value>): Value | undefined {
    const place = this.#values.get(name)
    return place && reader(place)
  }

  /** As `read`, and its absence is a fault. */
  need<Value>(name: string, what: string, reader: Reader<Value>): Value | undefined {
    if (!this.has(name)) return this.#place.fail(`"${name}" is missing; it needs ${what}`)
    return this.read(name, reader)
  }
}

/** A number from `min` to `max`. */
export function readNumber(min: number, max = Number.MAX_VALUE): Reader<number> {
  return (place) => {
    const { scalar } = place
    if (typeof scalar !== 'number' || !Number.isFinite(scalar)) return place.expected(`a number from ${min}`)
    if (scalar < min || scalar > max)
      return place.fail(`must lie between ${min} and ${max}, found ${place.found}`)
    return scalar
  }
}

/** A span that may be nothing: `0` or `0s` too. */
export const readSpanOrNone: Reader<number> = (place) =>
  place.scalar === 0 || place.scalar === '0s' ? 0 : readDuration(place)

/** One span, or `from` and `to`. */
export const spanAt: Reader<Span> = (place) => {
  if (!place.isMapping) {
    const span = readSpanOrNone(place)
    return span === undefined ? undefined : { fromMs: span, toMs: span }
  }
  const fields = Fields.of(place, ['from', 'to'])
  const fromMs = fields?.need('from', 'a span', readSpanOrNone)
  const toMs = fields?.need('to', 'a span', readSpanOrNone)
  if (fromMs === undefined || toMs === undefined) return undefined
  return toMs < fromMs ? place.fail('ends before it begins') : { fromMs, toMs }
}

export function readList<Value>(reader: Reader<Value>): Reader<readonly Value[]> {
  return (place) => {
    const { items } = place
    if (!items) return place.expected('a list')
    const values = items.map(reader)
    return values.every((value) => value !== undefined) ? values : undefined
  }
}

/** The `plan` of a workload spec: what it trains and how long. */
export const readDeclaration: Reader<RunDeclaration> = (place) =>
  readPlan(new Place(place.source, 'plan', place.node))
