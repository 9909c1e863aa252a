import type { TimeMs } from '../base/index.ts'

/** What a pass decided about one gang, for explanations. */
export interface Turn {
  /** From 1, in the order of the pass. */
  readonly position: number
  readonly verdict: Verdict | { readonly kind: 'started' }
}

/** What a pass found out about one gang that it did not start. */
export type Verdict =
  | { readonly kind: 'impossible' | 'quota' | 'behind-head' | 'held' | 'blocked' }
  | { readonly kind: 'waits-for-level'; readonly until: TimeMs }

export const STARTED = { kind: 'started' } as const
export const HELD: Verdict = { kind: 'held' }
export const IMPOSSIBLE: Verdict = { kind: 'impossible' }
export const QUOTA: Verdict = { kind: 'quota' }
export const BLOCKED: Verdict = { kind: 'blocked' }
