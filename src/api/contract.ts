import type { z } from 'zod'
import type { Role } from '../model/index.ts'
import type { ProblemCode } from './problem.ts'
import type { Wire } from './schema.ts'

/**
 * Who may call, checked before the handler does anything:
 * - `open`: anyone, without a token.
 * - `cluster`: a caller with at least `role`; the answer belongs to no tenant, or shows each caller only their own.
 * - `organisation`: as `cluster`, and what the path names is in the caller's organisation, else it is "not found".
 * - `team`: as `organisation`, and a member must own it or be in its team, else it is "forbidden".
 * Operators pass every scope.
 */
export type Access =
  | { readonly scope: 'open' }
  | { readonly scope: 'cluster' | 'organisation' | 'team'; readonly role: Role }

/** Header of every answer: what the server's clock said, in milliseconds since the Unix epoch. */
export const TIME_HEADER = 'Banyan-Time'

/** What a route answers with when all went well. */
export type Produces =
  | { readonly kind: 'json'; readonly schema: z.ZodType }
  /** Server-sent events: the schema of the data of each event type. Every event carries an id to resume after. */
  | {
      readonly kind: 'events'
      readonly events: Readonly<Record<string, z.ZodType>>
      /** The type of the event after which nothing comes; absent when the stream has no end. */
      readonly last?: string
    }
  | { readonly kind: 'text'; readonly mediaType: string }
  | { readonly kind: 'file'; readonly mediaType: string }

/** One route: everything that the server, the client and the OpenAPI document need to know of it. */
export interface Contract {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With parameters as `{id}`. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly access: Access
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: z.ZodType<object>
  /**
   * Takes an `Idempotency-Key` header: the same key from the same caller is acted on once. Its handler runs while a
   * batch is being written, so that it can join the next; what it reads of the state, it waits for itself.
   */
  readonly idempotent?: true
  /** Statuses of success; the first unless the description says when another. */
  readonly statuses: readonly [number, ...number[]]
  readonly produces: Produces
  /** Codes beyond those that every route shares. */
  readonly problems: readonly ProblemCode[]
}

type Field<Part> = Part extends z.ZodType ? Part : z.ZodType<unknown>
type InputOfPart<Part> = Part extends z.ZodType ? z.input<Part> : unknown
type OutputOfPart<Part> = Part extends z.ZodType ? z.output<Part> : unknown
type Part<C extends Contract, Key extends 'params' | 'query' | 'body'> = Key extends keyof C
  ? C[Key]
  : unknown

/** What a caller passes: path parameters, query and body in one flat object (a test forbids collisions). */
export type CallInput<C extends Contract> = Flat<
  InputOfPart<Part<C, 'params'>> & InputOfPart<Part<C, 'query'>> & InputOfPart<Part<C, 'body'>>
>

/** What a handler gets: the same, parsed and with defaults filled in. */
export type HandlerInput<C extends Contract> = Flat<
  OutputOfPart<Part<C, 'params'>> & OutputOfPart<Part<C, 'query'>> & OutputOfPart<Part<C, 'body'>>
>

/** What a `json` route answers. */
export type Answer<C extends Contract> = C['produces'] extends { kind: 'json'; schema: infer Schema }
  ? Wire<z.output<Field<Schema>>>
  : never

/** What an `events` route sends, one by one. */
export type StreamedEvent<C extends Contract> = C['produces'] extends { kind: 'events'; events: infer Events }
  ? {
      [Type in keyof Events & string]: {
        readonly type: Type
        readonly id: string
        readonly data: Wire<z.output<Field<Events[Type]>>>
      }
    }[keyof Events & string]
  : never

type Flat<Value> = unknown extends Value ? Record<never, never> : { [Key in keyof Value]: Value[Key] }

/** A 200 with JSON. */
export function json<Schema extends z.ZodType>(schema: Schema) {
  return { kind: 'json', schema } as const
}
