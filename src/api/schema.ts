import { z } from 'zod'

/** What every named schema of the API is called in the OpenAPI document. */
export interface SchemaName {
  readonly id: string
  readonly description: string
}

/** Every schema that stands under `components/schemas`. */
export const NAMED_SCHEMAS = z.registry<SchemaName>()

/** The same schema, named in the OpenAPI document. */
export function named<Schema extends z.ZodType>(id: string, description: string, schema: Schema): Schema {
  NAMED_SCHEMAS.add(schema, { id, description })
  return schema
}

/** Data as it travels: nobody changes what came over the wire. */
export type Wire<Value> = Value extends readonly (infer Item)[]
  ? readonly Wire<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Wire<Value[Key]> }
    : Value

/** What a schema describes, read-only. */
export type WireOf<Schema extends z.ZodType> = Wire<z.output<Schema>>
