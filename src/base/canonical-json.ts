/**
 * JSON with the keys of every object in code-point order and `undefined` members left out: equal values give
 * equal bytes. Maps are written as objects, and sets as arrays in the order of their members' JSON.
 */
export function canonicalJson(value: unknown): string {
  if (
    value === null ||
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    typeof value === 'string'
  ) {
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (value instanceof Map) return canonicalJson(Object.fromEntries(value))
  if (value instanceof Set) return `[${[...value].map(canonicalJson).sort().join(',')}]`
  const members = Object.entries(value as Record<string, unknown>)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`
}

/** Whether two plain values (no Maps and Sets) have the same canonical JSON, without writing it. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const ours = a as Readonly<Record<string, unknown>>
  const theirs = b as Readonly<Record<string, unknown>>
  for (const key in ours) if (!sameJson(ours[key], theirs[key])) return false
  for (const key in theirs) if (theirs[key] !== undefined && ours[key] === undefined) return false
  return true
}
