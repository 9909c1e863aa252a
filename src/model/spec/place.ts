import { isAlias, isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml'
import type { WorkloadType } from '../workload-spec.ts'
import { FORESEEN, namesUnder, typesWith } from './fields.ts'
import { didYouMean } from './nearest.ts'
import type { SpecProblem } from './problem.ts'

/** What all places of one spec share. */
export interface Source {
  readonly file: string
  readonly lines: LineCounter
  readonly anchors: ReadonlyMap<string, Node>
  /** Values that were put in from outside the file, with the name of where they came from. */
  readonly overrides: Map<unknown, string>
  readonly problems: SpecProblem[]
}

/** A value of the spec: its path, its YAML node, and a way to complain about it. */
export class Place {
  readonly source: Source
  readonly path: string
  readonly #node: unknown

  constructor(source: Source, path: string, node: unknown) {
    this.source = source
    this.path = path
    this.#node = node
  }

  /** The value's node, aliases resolved. */
  get node(): unknown {
    return isAlias(this.#node) ? this.source.anchors.get(this.#node.source) : this.#node
  }

  /** The plain value of a scalar; undefined for lists and mappings. */
  get scalar(): unknown {
    const { node } = this
    return isScalar(node) ? node.value : node === null || node === undefined ? null : undefined
  }

  /** A number as it was written (`3e-4`), any other scalar as text. */
  get scalarText(): string {
    const { node } = this
    return isScalar(node) ? (node.source ?? String(node.value)) : ''
  }

  get isMapping(): boolean {
    return isMap(this.node)
  }

  /** The items of a list; undefined for anything else. */
  get items(): readonly Place[] | undefined {
    const { node } = this
    if (!isSeq(node)) return undefined
    return node.items.map((item, index) => new Place(this.source, `${this.path}[${index}]`, item))
  }

  /** Records a fault of this value and returns undefined, which is what a reader gives when it failed. */
  fail(message: string): undefined {
    this.source.problems.push({ ...placeOf(this.source, this.#node), field: this.path, message })
    return undefined
  }

  /** Records that the value is of the wrong kind. */
  expected(what: string): undefined {
    return this.fail(`needs ${what}, found ${this.found}`)
  }

  /** What stands here, in words. */
  get found(): string {
    const { node, scalar } = this
    if (isMap(node)) return `a mapping of ${counted(node.items.length, 'field')}`
    if (isSeq(node)) return `a list of ${counted(node.items.length, 'item')}`
    if (scalar === null) return 'nothing'
    if (typeof scalar === 'string') return JSON.stringify(shortened(scalar))
    if (typeof scalar === 'boolean') return `${scalar}`
    return `the number ${shortened(this.scalarText)}`
  }

  /**
   * The mapping's values by name. Names that `SPEC_FIELDS` does not have under this path are recorded as faults.
   * Undefined, with a fault recorded, when this is no mapping.
   */
  fields(type: WorkloadType | undefined): Mapping | undefined {
    const { node } = this
    if (!isMap(node)) return this.expected(`a mapping of ${namesUnder(this.path, type).join(', ')}`)
    const allowed = namesUnder(this.path, type)
    const values = new Map<string, Place>()
    for (const [name, key, value] of entriesOf(node.items)) {
      const path = this.below(name)
      if (allowed.includes(name)) values.set(name, new Place(this.source, path, value ?? key))
      else new Place(this.source, path, key).fail(unknownName(path, name, allowed, type))
    }
    return new Mapping(this, values)
  }

  /** Path of the field of this name in this mapping. */
  below(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }

  /** The mapping's values by name, whatever the names are. */
  entries(): readonly (readonly [name: string, value: Place])[] | undefined {
    const { node } = this
    if (!isMap(node)) return undefined
    return entriesOf(node.items).map(([name, key, value]) => [
      name,
      new Place(this.source, this.below(name), value ?? key),
    ])
  }
}

/** The known fields of one mapping. */
export class Mapping {
  readonly #place: Place
  readonly #values: ReadonlyMap<string, Place>

  constructor(place: Place, values: ReadonlyMap<string, Place>) {
    this.#place = place
    this.#values = values
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  place(name: string): Place | undefined {
    return this.#values.get(name)
  }

  /** What `read` makes of the field; undefined when it is absent or faulty. */
  read<Value>(name: string, read: (place: Place) => Value | undefined): Value | undefined {
    const place = this.#values.get(name)
    return place && read(place)
  }

  /** As `read`, and its absence is a fault of the mapping. */
  need<Value>(name: string, what: string, read: (place: Place) => Value | undefined): Value | undefined {
    if (this.has(name)) return this.read(name, read)
    const { source, node } = this.#place
    return new Place(source, this.#place.below(name), node).fail(`missing; needs ${what}`)
  }
}

interface YamlPair {
  readonly key: unknown
  readonly value?: unknown
}

function entriesOf(pairs: readonly YamlPair[]): (readonly [name: string, key: unknown, value: unknown])[] {
  return pairs.map(({ key, value }) => {
    const name = isScalar(key) ? String(key.value) : String(key)
    return [name, key, value ?? undefined] as const
  })
}

function unknownName(
  path: string,
  name: string,
  allowed: readonly string[],
  type: WorkloadType | undefined,
): string {
  const foreseen = FORESEEN[name]
  if (foreseen !== undefined) return foreseen
  const types = typesWith(path)
  if (types.length > 0) return `not a field of type ${type}; it belongs to ${types.join(' and ')}`
  const known = allowed.length === 0 ? 'no field can stand here' : `known here: ${allowed.join(', ')}`
  return `unknown field${didYouMean(name, allowed)}; ${known}`
}

/** Where a node begins, in the file or in what overrides it. */
export function placeOf(source: Source, node: unknown): Pick<SpecProblem, 'file' | 'line' | 'column'> {
  const override = source.overrides.get(node)
  if (override !== undefined) return { file: override }
  const offset = (node as Partial<Node> | null | undefined)?.range?.[0] ?? 0
  const { line, col } = source.lines.linePos(offset)
  return { file: source.file, line: Math.max(line, 1), column: Math.max(col, 1) }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 40 ? `${line.slice(0, 40)}...` : line
}
