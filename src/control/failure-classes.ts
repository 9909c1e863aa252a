import type { Result } from '../base/index.ts'
import { ok, refuse } from '../base/index.ts'

/** One kind of failure: how to recognise it, whose fault it is, and what to tell the person who reads of it. */
export interface FailureClass {
  readonly class: string
  readonly blame: 'user' | 'platform'
  /** Any one of these lines of the log gives it away. */
  readonly patterns: readonly RegExp[]
  /** Or this way of ending. */
  readonly signals: readonly string[]
  readonly exitCodes: readonly number[]
  /** The task only heard of another task's end: it is blamed when no other failed. */
  readonly echo: boolean
  /** The last matching line is the evidence, not the first. */
  readonly last: boolean
  /** What the task did: follows "task 3 on node-7". */
  readonly what: string
  /** What to do next, or what Banyan does. */
  readonly next: string
}

/** In order of precedence: hardware before fabric, what came from outside before what the program did itself. */
export type FailureClasses = readonly FailureClass[]

const KEYS: readonly string[] = [
  'class',
  'blame',
  'patterns',
  'signals',
  'exitCodes',
  'echo',
  'last',
  'what',
  'next',
]

/** The classes written in a JSON document such as `data/failure-classes.json`, or what is wrong with it. */
export function parseFailureClasses(text: string): Result<FailureClasses, string> {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    return refuse(`failure classes: ${String(error)}`)
  }
  if (!Array.isArray(document)) return refuse('failure classes: expected a list')
  const classes: FailureClass[] = []
  for (const [index, entry] of document.entries()) {
    const parsed = parseClass(entry)
    if (!parsed.ok) return refuse(`failure classes: entry ${index + 1}: ${parsed.error}`)
    classes.push(parsed.value)
  }
  return ok(classes)
}

function parseClass(entry: unknown): Result<FailureClass, string> {
  if (typeof entry !== 'object' || entry === null) return refuse('expected an object')
  const fields = entry as Record<string, unknown>
  const unknown = Object.keys(fields).find((key) => !KEYS.includes(key))
  if (unknown !== undefined) return refuse(`unknown key "${unknown}"; allowed are ${KEYS.join(', ')}`)
  const { class: name, blame, what, next, patterns = [], signals = [], exitCodes = [] } = fields
  if (typeof name !== 'string' || typeof what !== 'string' || typeof next !== 'string') {
    return refuse('class, what and next must be texts')
  }
  if (blame !== 'user' && blame !== 'platform') return refuse('blame must be user or platform')
  if (!isListOf('string', patterns) || !isListOf('string', signals) || !isListOf('number', exitCodes)) {
    return refuse('patterns and signals must be lists of texts, exitCodes a list of numbers')
  }
  if (patterns.length + signals.length + exitCodes.length === 0) {
    return refuse('nothing to recognise it by; give patterns, signals or exitCodes')
  }
  const compiled: RegExp[] = []
  for (const pattern of patterns) {
    try {
      compiled.push(new RegExp(pattern, 'u'))
    } catch (error) {
      return refuse(`pattern "${pattern}": ${String(error)}`)
    }
  }
  const { echo = false, last = false } = fields
  if (typeof echo !== 'boolean' || typeof last !== 'boolean')
    return refuse('echo and last must be true or false')
  return ok({ class: name, blame, patterns: compiled, signals, exitCodes, echo, last, what, next })
}

function isListOf(type: 'string', value: unknown): value is string[]
function isListOf(type: 'number', value: unknown): value is number[]
function isListOf(type: string, value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type)
}
