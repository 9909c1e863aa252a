/** The number in a workload's id, by which workloads are ordered: 17 of `w17`; none where the text is no such id. */
export function workloadNumber(id: string): number | undefined {
  const digits = /^w([1-9]\d{0,14})$/.exec(id)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** The id of the workload that an attempt belongs to: `w17` of `w17.2`. */
export function workloadOfAttempt(attempt: string): string {
  return attempt.slice(0, attempt.lastIndexOf('.'))
}
