import { z } from 'zod'
import type { Contract } from './contract.ts'
import { CONTRACTS, problemsOf } from './contracts.ts'
import { PROBLEM_MEDIA_TYPE, PROBLEMS, problemDocument } from './problem.ts'
import { NAMED_SCHEMAS } from './schema.ts'

type Json = Record<string, unknown>

/** The OpenAPI 3.1 document of the whole API, made from the contracts. */
export function openApiDocument(version: string): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Banyan',
      version,
      description: 'One AI supercomputer for many organisations: submit, watch, explain, operate.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: [...new Set(Object.values(CONTRACTS).map(({ tag }) => tag))].map((tag) => ({ name: tag })),
    paths: paths(),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: namedSchemas(),
    },
  }
}

function paths(): Json {
  const byPath: Record<string, Json> = {}
  for (const [operation, contract] of Object.entries(CONTRACTS) as [string, Contract][]) {
    byPath[contract.path] = {
      ...byPath[contract.path],
      [contract.method.toLowerCase()]: operationObject(operation, contract),
    }
  }
  return byPath
}

function operationObject(operation: string, contract: Contract): Json {
  const parameters = [
    ...parametersIn('path', contract.params),
    ...parametersIn('query', contract.query),
    ...headers(contract),
  ]
  return {
    operationId: operation,
    tags: [contract.tag],
    summary: contract.summary,
    description: [contract.description, accessText(contract)].filter(Boolean).join(' '),
    ...(contract.access.scope === 'open' ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(contract.body
      ? {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: reference(contract.body) } },
          },
        }
      : {}),
    responses: { ...successes(contract), ...failures(contract) },
  }
}

function accessText({ access }: Contract): string {
  if (access.scope === 'open') return 'Needs no token.'
  const whose = {
    cluster: '',
    organisation: ' of the organisation',
    team: ' of the organisation; a member only for their own and their teams',
  }[access.scope]
  return `For callers with role ${access.role} or more${whose}.`
}

function parametersIn(place: 'path' | 'query', schema: z.ZodObject | undefined): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const { description, ...type } = inline(field)
    return {
      name,
      in: place,
      required: place === 'path',
      ...(description ? { description } : {}),
      ...(type.type === 'array' ? { style: 'form', explode: false } : {}),
      schema: type,
    }
  })
}

function headers(contract: Contract): Json[] {
  const text = { type: 'string', maxLength: 255 }
  const found: Json[] = []
  if (contract.idempotent) {
    const description = 'The same key from the same caller is acted on once.'
    found.push({ name: 'Idempotency-Key', in: 'header', required: false, description, schema: text })
  }
  if (contract.produces.kind === 'events') {
    const description = 'Id of the last event received, to go on after it.'
    found.push({ name: 'Last-Event-ID', in: 'header', required: false, description, schema: text })
  }
  return found
}

function successes({ statuses, produces, summary }: Contract): Json {
  const content = {
    json: () => ({
      'application/json': { schema: produces.kind === 'json' ? reference(produces.schema) : {} },
    }),
    events: () => ({
      'text/event-stream': {
        schema: { type: 'string', description: `Events: ${eventNames(produces)}; data is JSON.` },
      },
    }),
    text: () => ({ [mediaType(produces)]: { schema: { type: 'string' } } }),
    file: () => ({ [mediaType(produces)]: { schema: { type: 'string', format: 'binary' } } }),
  }[produces.kind]()
  return Object.fromEntries(statuses.map((status) => [String(status), { description: summary, content }]))
}

function eventNames(produces: Contract['produces']): string {
  if (produces.kind !== 'events') return ''
  return Object.entries(produces.events)
    .map(([type, schema]) => `\`${type}\` (${NAMED_SCHEMAS.get(schema)?.id})`)
    .join(', ')
}

function mediaType(produces: Contract['produces']): string {
  return 'mediaType' in produces ? produces.mediaType : 'application/json'
}

/** One response a status; its description lists the codes. */
function failures(contract: Contract): Json {
  const codes: Record<string, string[]> = {}
  for (const code of problemsOf(contract)) {
    const status = String(PROBLEMS[code].status)
    codes[status] = [...(codes[status] ?? []), `\`${code}\`: ${PROBLEMS[code].title}.`]
  }
  const content = { [PROBLEM_MEDIA_TYPE]: { schema: reference(problemDocument) } }
  return Object.fromEntries(
    Object.entries(codes).map(([status, texts]) => [status, { description: texts.join(' '), content }]),
  )
}

function reference(schema: z.ZodType): Json {
  const name = NAMED_SCHEMAS.get(schema)
  return name ? { $ref: componentPath(name.id) } : inline(schema)
}

function componentPath(id: string): string {
  return `#/components/schemas/${id}`
}

function namedSchemas(): Json {
  const { schemas } = z.toJSONSchema(NAMED_SCHEMAS, { uri: componentPath, io: 'input', override: tidy })
  return Object.fromEntries(
    Object.entries(schemas)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, schema]) => [id, withoutDialect(schema as Json)]),
  )
}

function inline(schema: z.core.$ZodType): Json {
  return withoutDialect(z.toJSONSchema(schema, { io: 'input', override: tidy }) as Json)
}

function withoutDialect({ $schema: _dialect, $id: _id, ...schema }: Json): Json {
  return schema
}

/** JavaScript's own bounds of whole numbers say nothing to a reader of the document. */
function tidy({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
}
