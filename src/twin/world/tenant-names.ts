/**
 * A name that Banyan accepts for each of these names of a trace: lower case, other signs as `-`, and a number
 * where two would become the same. Equal input gives equal names.
 */
export function tenantNames(originals: Iterable<string>): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  const taken = new Set<string>()
  for (const original of new Set(originals)) {
    const plain =
      original
        .toLowerCase()
        .replace(/[^a-z0-9._-]/g, '-')
        .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
        .slice(0, 56) || 'tenant'
    let name = plain
    for (let i = 2; taken.has(name); i++) name = `${plain}-${i}`
    taken.add(name)
    names.set(original, name)
  }
  return names
}
