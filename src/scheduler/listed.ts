export function workloads(count: number): string {
  return count === 1 ? 'one workload' : `${count} workloads`
}

/** `a, b, c and 4 more`. */
export function listed(all: readonly string[]): string {
  const shown = all.slice(0, 3).join(', ')
  return all.length > 3 ? `${shown} and ${all.length - 3} more` : shown
}
