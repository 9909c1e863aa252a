/** A string that only its own constructor makes, so that ids of different nouns cannot be mixed up. */
export type Brand<Name extends string> = string & { readonly __brand: Name }

export type OrganisationId = Brand<'organisation'>
export type TeamId = Brand<'team'>
export type UserId = Brand<'user'>
export type QueueId = Brand<'queue'>
export type NodeId = Brand<'node'>
export type WorkloadId = Brand<'workload'>
/** The workload's id, a dot and the attempt's number from 1: `w17.2`. It also names the attempt's allocation. */
export type AttemptId = Brand<'attempt'>
export type ReservationId = Brand<'reservation'>

/** The branded form of a plain string; the caller vouches for its origin. */
export function id<Id extends Brand<string>>(text: string): Id {
  return text as Id
}

/** Code-point order with runs of digits compared as numbers: `w2` stands before `w10`. The same on every locale. */
export function compareIds(a: string, b: string): number {
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(j)
    if (isDigit(x) && isDigit(y)) {
      const endA = endOfDigits(a, i)
      const endB = endOfDigits(b, j)
      const byNumber = Number(a.slice(i, endA)) - Number(b.slice(j, endB))
      if (byNumber !== 0) return byNumber
      i = endA
      j = endB
    } else {
      if (x !== y) return x - y
      i++
      j++
    }
  }
  return a.length - i - (b.length - j) || (a < b ? -1 : a > b ? 1 : 0)
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function endOfDigits(text: string, from: number): number {
  let end = from
  while (end < text.length && isDigit(text.charCodeAt(end))) end++
  return end
}
