import { compareIds } from '../base/index.ts'
import { type EvictionContext, holdFor } from './eviction-context.ts'
import type { Footprint } from './footprint.ts'
import type { Occupant } from './holding.ts'
import { type Move, moveElsewhere, type Yielding } from './moves.ts'
import { place } from './placement.ts'
import type { Eviction } from './plan.ts'
import { withinLimits } from './quota.ts'
import type { RequestClass } from './request-class.ts'
import { canShrink, placeAgain, placeLeast, planRestart } from './restarts.ts'
import { type Candidate, type Candidates, type VictimSet, victimSets } from './victims.ts'
import type { Entry } from './waiting.ts'

export type Kind = Eviction['kind']

export interface Bounds {
  /** What may be lost at most. */
  readonly worth?: number
  /** Asked of each victim in turn, after those before it have gone. */
  readonly stillMay?: (occupant: Occupant) => boolean
  /** All victims but these have to go on elsewhere at once, and may end these for it. */
  readonly yielding?: Yielding
}

/** What is known of where victims go. */
interface Next {
  /** What shrunk ones hold in the transaction already, which they must be given again. */
  readonly leasts?: ReadonlyMap<Occupant, Occupant>
  readonly yielding?: Yielding
}

/**
 * Proves on the transaction that the end of some of the candidates makes room for a gang: the victims are taken out, the gang is placed, those
 * that were not needed after all are put back, and only if the gang stands is any of it kept (S3): as a hold of the
 * place until the victims have ended.
 */
export class RoomMaker {
  private readonly context: EvictionContext
  /** Nodes that are closed to the gang that is tried now. */
  closed: readonly number[] = []

  constructor(context: EvictionContext) {
    this.context = context
  }

  tryFor(
    entry: Entry,
    request: RequestClass,
    minDepth: number,
    kind: Kind,
    candidates: Candidates,
    bounds: Bounds = {},
  ): boolean {
    if (candidates.list.length === 0 || !this.hasRoom(request, candidates.gpuMilli)) return false
    if (kind !== 'consolidate' && this.shrink(entry, request, minDepth, kind, candidates.list, bounds))
      return true
    const sets = victimSets(this.context.machine.fleet, request, candidates, minDepth, bounds.worth)
    return this.trySets(entry, request, minDepth, kind, sets, bounds)
  }

  trySets(
    entry: Entry,
    request: RequestClass,
    minDepth: number,
    kind: Kind,
    sets: readonly VictimSet[],
    { stillMay = () => true, yielding }: Bounds = {},
  ): boolean {
    const { transaction } = this.context
    for (const set of sets) {
      const mark = transaction.mark()
      const before = this.context.evicted.length
      const allowed = set.victims.every(({ occupant }) => {
        const may = stillMay(occupant)
        transaction.vacate(occupant)
        return may
      })
      const victims =
        allowed &&
        this.fits(entry, request, minDepth) &&
        this.putBackUnneeded(entry, set.victims, request, minDepth)
      if (victims && this.commit(entry, request, minDepth, kind, victims, yielding && { yielding }))
        return true
      transaction.rollback(mark)
      this.context.evicted.length = before
    }
    return false
  }

  /** Puts back every victim without which the gang fits too, the dearest first. */
  private putBackUnneeded(
    entry: Entry,
    victims: readonly Candidate[],
    request: RequestClass,
    minDepth: number,
  ): Candidate[] {
    const { transaction } = this.context
    const needed: Candidate[] = []
    for (const victim of [...victims].sort((a, b) => b.loss - a.loss)) {
      const mark = transaction.mark()
      transaction.occupy(victim.occupant)
      if (this.fits(entry, request, minDepth)) continue
      transaction.rollback(mark)
      needed.push(victim)
    }
    return needed.sort(byAttempt)
  }

  private fits(entry: Entry, request: RequestClass, minDepth: number): boolean {
    return this.placeFor(entry, request, minDepth) !== undefined
  }

  private placeFor(entry: Entry, request: RequestClass, minDepth: number): Footprint | undefined {
    const { machine, now } = this.context
    const allowed = withinLimits(machine, entry, request, now)
    return allowed && place(machine.fleet.capacity, allowed, minDepth)
  }

  private commit(
    entry: Entry,
    request: RequestClass,
    minDepth: number,
    kind: Kind,
    victims: readonly Candidate[],
    next: Next = {},
  ): boolean {
    const { transaction, machine, now, holds } = this.context
    const footprint = this.placeFor(entry, request, minDepth)
    if (!footprint) return false
    for (const { occupant } of victims) this.context.evicted.push(occupant)
    const beneficiary = machine.occupant(entry.gang, footprint, now, undefined)
    transaction.occupy(beneficiary)
    const moves = this.placeMoved(kind, victims, next)
    if (!moves) return false
    holds.push(holdFor(this.context, entry, footprint, victims))
    this.context.granted.push({ entry, occupant: beneficiary, now: false })
    for (const { occupant } of victims) {
      const move = moves.get(occupant)
      planRestart(this.context, occupant, move?.after, { for: entry.gang.workload, kind })
      for (const victim of move?.victims ?? [])
        planRestart(this.context, victim, undefined, { for: occupant.gang.workload, kind })
    }
    return true
  }

  /** Where the victims go that have a next place; undefined where one has none that must have. */
  private placeMoved(
    kind: Kind,
    victims: readonly Candidate[],
    { leasts, yielding }: Next,
  ): ReadonlyMap<Occupant, Move> | undefined {
    const { transaction, machine } = this.context
    const moves = new Map<Occupant, Move>()
    // What their beneficiary must leave alone is open to them.
    for (const node of this.closed) machine.fleet.capacity.open(node)
    const areAllPlaced = bySize(victims, yielding).every(({ occupant }) => {
      const least = leasts?.get(occupant)
      if (least) transaction.vacate(least)
      if (mustMove(occupant, yielding)) {
        const move = moveElsewhere(this.context, occupant, yielding!)
        if (move) moves.set(occupant, move)
        return move !== undefined
      }
      const after =
        kind === 'consolidate' || canShrink(occupant) ? placeAgain(this.context, occupant) : undefined
      if (after) moves.set(occupant, { after, victims: [] })
      return after !== undefined || (kind !== 'consolidate' && !least)
    })
    for (const node of this.closed) machine.fleet.capacity.close(node)
    return areAllPlaced ? moves : undefined
  }

  /** Takes from elastic gangs what is above their minimum, so that none of them has to go. */
  private shrink(
    entry: Entry,
    request: RequestClass,
    minDepth: number,
    kind: Kind,
    candidates: readonly Candidate[],
    { stillMay = () => true }: Bounds,
  ): boolean {
    const { transaction } = this.context
    const elastic = candidates.filter(({ occupant }) => canShrink(occupant))
    const mark = transaction.mark()
    const before = this.context.evicted.length
    const leasts = new Map<Occupant, Occupant>()
    for (const candidate of elastic.sort((a, b) => a.loss - b.loss || byAttempt(a, b))) {
      const { occupant } = candidate
      if (!stillMay(occupant)) continue
      const outset = transaction.mark()
      transaction.vacate(occupant)
      const least = placeLeast(this.context, occupant)
      if (!least) {
        transaction.rollback(outset)
        continue
      }
      leasts.set(occupant, least)
      if (!this.fits(entry, request, minDepth)) continue
      this.growBackUnneeded(entry, elastic, request, minDepth, leasts)
      const victims = elastic.filter((victim) => leasts.has(victim.occupant)).sort(byAttempt)
      if (this.commit(entry, request, minDepth, kind, victims, { leasts })) return true
      break
    }
    transaction.rollback(mark)
    this.context.evicted.length = before
    return false
  }

  /** Puts back every shrunk gang without which the other fits too, the dearest first. */
  private growBackUnneeded(
    entry: Entry,
    elastic: readonly Candidate[],
    request: RequestClass,
    minDepth: number,
    leasts: Map<Occupant, Occupant>,
  ): void {
    const { transaction, machine } = this.context
    for (const { occupant } of [...elastic].reverse()) {
      const least = leasts.get(occupant)
      if (!least) continue
      const mark = transaction.mark()
      transaction.vacate(least)
      if (machine.fleet.capacity.isVacant(occupant.footprint)) {
        transaction.occupy(occupant)
        if (this.fits(entry, request, minDepth)) {
          leasts.delete(occupant)
          continue
        }
      }
      transaction.rollback(mark)
    }
  }

  /** A look before anything is searched: whether what is free and what the candidates hold is enough at all. */
  hasRoom(request: RequestClass, candidatesMilli: number): boolean {
    const { capacity } = this.context.machine.fleet
    return request.options.some(
      (option) => candidatesMilli + capacity.openMilli[option.nodeClass]! >= option.gpuMilli,
    )
  }
}

function byAttempt(a: Candidate, b: Candidate): number {
  return compareIds(a.occupant.attempt!, b.occupant.attempt!)
}

/** Those first that must move, then the largest. */
function bySize(victims: readonly Candidate[], yielding: Yielding | undefined): Candidate[] {
  return [...victims].sort(
    (a, b) =>
      Number(mustMove(b.occupant, yielding)) - Number(mustMove(a.occupant, yielding)) ||
      b.occupant.gpuMilli - a.occupant.gpuMilli ||
      compareIds(a.occupant.attempt!, b.occupant.attempt!),
  )
}

function mustMove(occupant: Occupant, yielding: Yielding | undefined): boolean {
  return yielding !== undefined && !yielding.goes.has(occupant)
}
