/** Thrown when an invariant of Banyan itself is broken; never by a user's input. Assertions stay on in production. */
export class BrokenInvariant extends Error {
  override readonly name = 'BrokenInvariant'
}

export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new BrokenInvariant(invariant)
}

/** Ends in a broken invariant: for places that run so often that an assertion's text must not be made where it holds. */
export function broken(invariant: string): never {
  throw new BrokenInvariant(invariant)
}

/** The value, where the code around it guarantees that there is one; `what` and `which` say what would be missing. */
export function present<Value>(
  value: Value | undefined | null,
  what: string,
  which?: string | number,
): Value {
  if (value === undefined || value === null)
    broken(which === undefined ? `missing ${what}` : `missing ${what} ${which}`)
  return value
}

/** Stands at the end of a switch over a closed union, so that a new member fails to compile. */
export function unreachable(value: never): never {
  throw new BrokenInvariant(`unexpected ${JSON.stringify(value)}`)
}
