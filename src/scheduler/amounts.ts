/** Amounts in words, for what a person reads. */

/** `1 GPU`, `12 GPUs`, `0.25 of a GPU`, from thousandths. */
export function gpus(milli: number): string {
  if (milli > 0 && milli < 1000) return `${milli / 1000} of a GPU`
  return milli === 1000 ? '1 GPU' : `${milli / 1000} GPUs`
}

/** `1 node`, `4 nodes`. */
export function nodes(count: number): string {
  return count === 1 ? '1 node' : `${count} nodes`
}

export function workloads(count: number): string {
  return count === 1 ? 'one workload' : `${count} workloads`
}

/** `are`, or `is` where there is just one or a part of one. */
export function are(count: number): string {
  return count > 0 && count <= 1 ? 'is' : 'are'
}

/** `a, b, c and 4 more`. */
export function listed(all: readonly string[]): string {
  const shown = all.slice(0, 3).join(', ')
  return all.length > 3 ? `${shown} and ${all.length - 3} more` : shown
}
