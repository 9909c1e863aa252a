/** Where a value stands between two places on the page; in the middle when all values are the same. */
export function axisOf(
  values: readonly number[],
  [from, to]: readonly [number, number],
): (value: number) => number {
  const low = Math.min(...values)
  const high = Math.max(...values)
  if (high === low) return () => (from + to) / 2
  return (value) => from + ((value - low) / (high - low)) * (to - from)
}
