import type { AttemptId, ReservationId, TimeMs } from '../base/index.ts'
import { compareIds, id } from '../base/index.ts'
import { type Footprint, toAllocation } from './footprint.ts'
import type { Occupant } from './holding.ts'
import type { Machine } from './machine.ts'
import type { Eviction, Hold } from './plan.ts'
import { type Claim, shareLimit } from './quota.ts'
import type { Transaction } from './transaction.ts'
import type { Candidate } from './victims.ts'
import type { Entry } from './waiting.ts'

/** What an eviction needs to know of the pass that it belongs to. */
export interface EvictionContext {
  readonly machine: Machine
  readonly now: TimeMs
  readonly transaction: Transaction
  readonly evictions: Eviction[]
  readonly holds: Hold[]
  /** Ended by this pass; their GPUs are what the holds wait for. */
  readonly evicted: Occupant[]
  /** Those of the ended that start again at once, and what they will hold. */
  readonly restarted: { readonly before: Occupant; readonly after: Occupant }[]
  readonly granted: { readonly entry: Entry; readonly occupant: Occupant; readonly now: boolean }[]
  /** Nodes of calendar windows that are not for this gang. */
  closedTo(claim: Claim, gpuMilli: number): readonly number[]
  /** Another pass is wanted then, because something becomes possible. */
  wakeAt(at: TimeMs | undefined): void
}

/** Those of the live ones that may be ended at all and of which `may` holds. */
export function candidatesAmong(
  { evicted }: EvictionContext,
  live: Iterable<Occupant>,
  may: (occupant: Occupant) => boolean,
  loss: (occupant: Occupant) => number,
): Candidate[] {
  const candidates: Candidate[] = []
  for (const occupant of live) {
    if (occupant.stopping || !occupant.gang.preemptible || evicted.includes(occupant)) continue
    if (may(occupant)) candidates.push({ occupant, loss: loss(occupant) })
  }
  return candidates
}

export function hasRunEnough({ machine, now }: EvictionContext, occupant: Occupant): boolean {
  return occupant.startedAt + machine.policy.minimumRunMs <= now
}

/**
 * A hold of this place until its own victims have ended (S3), and everything else that this pass ended is gone from it and from
 * the limits that the gang comes under (Q1).
 */
export function holdFor(
  { machine, now, evicted }: EvictionContext,
  { gang: { workload, replica }, user }: Claim,
  footprint: Footprint,
  victims: readonly Candidate[] = [],
): Hold {
  const own = new Set(victims.map(({ occupant }) => occupant))
  const waitsFor = evicted
    .filter(
      (occupant) =>
        own.has(occupant) || overlap(occupant.footprint, footprint) || shareLimit(occupant.user, user),
    )
    .map((occupant) => occupant.attempt as AttemptId)
    .sort(compareIds)
  return {
    id: id<ReservationId>(`hold.${workload}.${replica}.${now}`),
    workload,
    replica,
    allocation: toAllocation(machine.fleet.tree, footprint),
    waitsFor,
  }
}

function overlap(a: Footprint, b: Footprint): boolean {
  return a.nodes.some((node, p) => {
    const q = b.nodes.indexOf(node)
    return q >= 0 && a.gpus[p]!.some((gpu) => b.gpus[q]!.includes(gpu))
  })
}
