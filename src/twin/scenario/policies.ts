import type { Policy } from '../../model/index.ts'
import { DEFAULT_POLICY } from '../../model/index.ts'

/** Nothing but the order: no quota is reclaimed, nothing is moved, no gang runs at least for some time. */
const ORDER_ONLY: Policy = {
  ...DEFAULT_POLICY,
  runTimes: 'declared',
  consolidate: false,
  reclaim: false,
  preempt: false,
  minimumRunMs: 0,
  evictionGraceMs: 0,
}

/** By the order alone, which interrupts and places anew whoever stands in the way, as these policies do in the literature. */
const PREEMPTIVE: Policy = { ...ORDER_ONLY, backfill: 'greedy', preemptByOrdering: true, consolidate: true }

/**
 * Policies by the names that the literature gives them, to compare with. Those that order by run time take what was
 * declared; `needsRunTimes` says that the twin has to declare the exact one for them.
 */
const POLICIES = {
  default: { policy: DEFAULT_POLICY, needsRunTimes: false },
  /** First in, first out; nothing overtakes the head. */
  fifo: { policy: { ...ORDER_ONLY, ordering: 'fifo', backfill: 'strict' }, needsRunTimes: false },
  /** First in, first out; whatever fits behind a blocked head starts. */
  'fifo-greedy': { policy: { ...ORDER_ONLY, ordering: 'fifo', backfill: 'greedy' }, needsRunTimes: false },
  /** First in, first out with backfill that delays no hold. */
  backfill: { policy: { ...ORDER_ONLY, ordering: 'fifo', backfill: 'holds' }, needsRunTimes: true },
  /** Shortest job first, never interrupted. */
  sjf: { policy: { ...ORDER_ONLY, ordering: 'shortest', backfill: 'strict' }, needsRunTimes: true },
  /** Shortest service (GPUs x time) first, never interrupted. */
  ssf: { policy: { ...ORDER_ONLY, ordering: 'shortest-service', backfill: 'strict' }, needsRunTimes: true },
  /** Shortest remaining time first, interrupting. */
  srtf: {
    policy: { ...PREEMPTIVE, ordering: 'shortest' },
    needsRunTimes: true,
  },
  /** Shortest remaining service first, interrupting. */
  srsf: {
    policy: { ...PREEMPTIVE, ordering: 'shortest-service' },
    needsRunTimes: true,
  },
  /** Least attained service first, interrupting; knows no run times. */
  las: {
    policy: { ...PREEMPTIVE, ordering: 'least-attained-service' },
    needsRunTimes: false,
  },
  /** Tiresias-L's idea: least attained service in levels, so that running gangs are not swapped all the time. */
  'las-levels': {
    policy: {
      ...PREEMPTIVE,
      ordering: 'least-attained-service',
      serviceLevels: fourfold(1),
    },
    needsRunTimes: false,
  },
  /**
   * The best that is known without run times: run times have heavy tails, so what has run long will run long, and a
   * large gang keeps more others waiting than its GPUs say. Levels of attained GPU-hours times GPUs, small gangs first.
   */
  'small-and-young-first': {
    policy: {
      ...PREEMPTIVE,
      ordering: 'least-attained-service',
      serviceLevels: fourfold(8),
      serviceSizeWeight: 1,
    },
    needsRunTimes: false,
  },
  /**
   * Shortest remaining service first, by what programs report of their progress once they run, and by past runs until then. Nothing
   * is known at submission.
   */
  'srsf-by-reports': {
    policy: { ...PREEMPTIVE, ordering: 'shortest-service', runTimes: 'predicted' },
    needsRunTimes: false,
  },
  /** Fair shares, nothing interrupted. */
  fair: { policy: { ...ORDER_ONLY, ordering: 'fair', backfill: 'greedy' }, needsRunTimes: false },
} as const satisfies Record<string, NamedPolicy>

export interface NamedPolicy {
  readonly policy: Policy
  readonly needsRunTimes: boolean
}

export const POLICY_NAMES: readonly string[] = Object.keys(POLICIES)

/** The policy of this name, its name in it. */
export function policyByName(name: string): NamedPolicy | undefined {
  if (!Object.hasOwn(POLICIES, name)) return undefined
  const { policy, needsRunTimes } = POLICIES[name as keyof typeof POLICIES]
  return { policy: { ...policy, name }, needsRunTimes }
}

/** Twelve bounds, each four times the one before. */
function fourfold(first: number): number[] {
  return Array.from({ length: 12 }, (_, i) => first * 4 ** i)
}
