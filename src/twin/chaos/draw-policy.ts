import type { RandomStream } from '../../base/index.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import { DEFAULT_POLICY, ORDERINGS, type Policy } from '../../model/index.ts'

/** Any policy that gives everybody their turn in the end. */
export function drawPolicy(random: RandomStream): Policy {
  const oneOf = <Item>(items: readonly Item[]): Item => items[random.below(items.length)]!
  return {
    ...DEFAULT_POLICY,
    name: 'drawn',
    ordering: oneOf(ORDERINGS),
    preemptByOrdering: random.next() < 0.3,
    runTimes: oneOf(['declared', 'predicted'] as const),
    serviceLevels: oneOf([[], [1, 10]]),
    serviceSizeWeight: oneOf([0, 1]),
    backfill: oneOf(['strict', 'holds', 'greedy'] as const),
    holdDepth: random.below(5),
    consolidate: random.next() < 0.7,
    preempt: random.next() < 0.7,
    minimumRunMs: oneOf([0, MINUTE_MS, 10 * MINUTE_MS]),
    growAfterMs: oneOf([MINUTE_MS, 30 * MINUTE_MS]),
    evictionGraceMs: oneOf([0, SECOND_MS, 30 * SECOND_MS]),
    reclaimGraceMs: oneOf([0, 5 * MINUTE_MS]),
    usageHalfLifeMs: oneOf([HOUR_MS, DEFAULT_POLICY.usageHalfLifeMs]),
    entryPenaltyMs: oneOf([0, HOUR_MS]),
  }
}
