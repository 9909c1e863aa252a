import { z } from 'zod'
import { ok, type Result, refuse } from '../base/index.ts'
import type { Contract } from './contract.ts'
import { type Fault, type ProblemDocument, problem } from './problem.ts'

/** A call as it came over HTTP: path parameters decoded, the first value of each query parameter, the body parsed. */
export interface RawInput {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly body: unknown
}

/** The flat input of the contract's handler, or the problem to answer with; it names every fault at once. */
export function parseInput(
  contract: Contract,
  raw: RawInput,
): Result<Record<string, unknown>, ProblemDocument> {
  const parts = [
    { schema: contract.params, value: raw.params, where: 'path' },
    { schema: contract.query, value: decodeQuery(contract.query, raw.query), where: 'query' },
    { schema: contract.body, value: raw.body ?? {}, where: 'body' },
  ]
  const input: Record<string, unknown> = {}
  const errors: Fault[] = []
  for (const { schema, value, where } of parts) {
    if (!schema) continue
    const parsed = schema.safeParse(value)
    if (parsed.success) Object.assign(input, parsed.data)
    else errors.push(...faultsOf(parsed.error, where))
  }
  errors.push(...unknownQuery(contract, raw.query))
  errors.push(...withNul('path', raw.params), ...withNul('query', raw.query))
  const [first] = errors
  if (!first) return ok(input)
  const rest = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return refuse(
    problem('invalid-request', `${first.field}: ${first.message}${rest}`, {
      hint: 'GET /v1/openapi.json describes every request.',
      errors,
    }),
  )
}

function faultsOf(error: z.ZodError, where: string): Fault[] {
  return error.issues.map((issue) => ({
    field: [where, ...issue.path.map(String)].join('.'),
    message: issue.message,
  }))
}

/** No name has one in it, and PostgreSQL takes none. */
function withNul(where: string, values: Readonly<Record<string, string>>): Fault[] {
  return Object.entries(values)
    .filter(([, text]) => text.includes('\0'))
    .map(([key]) => ({ field: `${where}.${key}`, message: 'has a NUL character in it' }))
}

/** A misspelt filter that is ignored would answer a question that nobody asked. */
function unknownQuery(contract: Contract, query: Readonly<Record<string, string>>): Fault[] {
  const known = Object.keys(contract.query?.shape ?? {})
  return Object.keys(query)
    .filter((key) => !known.includes(key))
    .map((key) => ({
      field: `query.${key}`,
      message: known.length > 0 ? `unknown; known are ${known.join(', ')}` : 'unknown; this route takes none',
    }))
}

/** Query text as the types the schema wants: numbers, true and false, lists split at commas. */
function decodeQuery(
  schema: z.ZodObject | undefined,
  query: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const decoded: Record<string, unknown> = {}
  for (const [key, text] of Object.entries(query)) {
    const field = schema?.shape[key]
    if (field) decoded[key] = decode(typeName(field), text)
  }
  return decoded
}

function typeName(field: z.core.$ZodType): string {
  let inner = field
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) inner = inner.def.innerType
  return inner._zod.def.type
}

function decode(type: string, text: string): unknown {
  if (type === 'number') return text.trim() === '' ? text : Number(text)
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (type === 'array') return text.split(',').filter((item) => item !== '')
  return text
}
