/** A value that is still being written, field by field: those made by spreading cost many times as much. */
export type Draft<Value> = { -readonly [Field in keyof Value]: Value[Field] }
