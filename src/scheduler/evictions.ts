import type { TimeMs } from '../base/index.ts'
import { compareIds } from '../base/index.ts'
import { candidatesAmong, type EvictionContext, hasRunEnough, holdFor } from './eviction-context.ts'
import type { Footprint } from './footprint.ts'
import type { Occupant } from './holding.ts'
import { isFarBehind, liveInOrder, type Placed } from './live-order.ts'
import { place } from './placement.ts'
import type { Eviction } from './plan.ts'
import { claimOf, isBorrowing, isPartOf, quotaBlocks, withinLimits } from './quota.ts'
import type { RequestClass } from './request-class.ts'
import { canShrink, placeAgain, placeLeast, planRestart } from './restarts.ts'
import { type Candidate, Candidates, lossOf, type VictimSet, victimSets } from './victims.ts'
import type { Entry } from './waiting.ts'

type Kind = Eviction['kind']

interface Bounds {
  /** What may be lost at most. */
  readonly worth?: number
  /** Asked of each victim in turn, after those before it have gone. */
  readonly stillMay?: (occupant: Occupant) => boolean
}

/**
 * Makes room for blocked gangs by ending others. Each attempt is a transaction: the victims are taken out, the gang is placed, those
 * that were not needed after all are put back, and only if the gang stands is any of it kept (S3): as a hold of the
 * place until the victims have ended.
 */
export class Evictions {
  private readonly context: EvictionContext
  private order: readonly Placed[] | undefined
  private movables:
    | { readonly evicted: number; readonly worth: number; readonly candidates: Candidates }
    | undefined
  /** By priority, queue and request: the first key that overtook nobody. */
  private readonly overtakesNobody = new Map<string, number>()
  /** Claims by kind, owner and request for which nobody's end makes room. */
  private readonly inVain = new Set<string>()
  /** Nodes that are closed to the gang that is tried now. */
  private closed: readonly number[] = []

  constructor(context: EvictionContext) {
    this.context = context
  }

  /** Tries one action for a gang, which is kept from the nodes that it must leave alone. */
  try(action: Kind | 'overtake', entry: Entry, request: RequestClass, minDepth: number, waitMs = 0): boolean {
    const { capacity } = this.context.machine.fleet
    this.closed = this.context.closedTo(entry, request.options[0]!.gpuMilli)
    for (const node of this.closed) capacity.close(node)
    const done =
      action === 'consolidate'
        ? this.consolidate(entry, request, minDepth, waitMs)
        : this[action](entry, request, minDepth)
    for (const node of this.closed) capacity.open(node)
    this.closed = []
    return done
  }

  /** When the gang has waited so long for what its queue is guaranteed that borrowers must begin to give it back. */
  owedAt(entry: Entry): TimeMs {
    const { reclaimGraceMs, evictionGraceMs } = this.context.machine.policy
    return waitingSince(entry) + Math.max(0, reclaimGraceMs - evictionGraceMs)
  }

  /** Moves others so that the gang fits; each of them gets a new place at once, and less work is lost than would be waited. */
  private consolidate(entry: Entry, request: RequestClass, minDepth: number, waitMs: number): boolean {
    if (!this.hasRoom(request, 0)) return false
    const worth = (request.options[0]!.gpuMilli / 1000) * waitMs
    return this.tryFor(entry, request, minDepth, 'consolidate', this.movable(worth), { worth })
  }

  /** What may be moved where no more than `worth` is to be lost; the same for all until somebody is evicted. */
  private movable(worth: number): Candidates {
    const { machine, now, evicted } = this.context
    const known = this.movables
    if (known?.evicted === evicted.length && known.worth >= worth) return known.candidates
    const candidates = candidatesAmong(
      this.context,
      machine.live.values(),
      (occupant) => hasRunEnough(this.context, occupant) && lossOf(occupant, now) <= worth,
      (occupant) => lossOf(occupant, now),
    )
    this.movables = { evicted: evicted.length, worth, candidates: new Candidates(candidates) }
    return this.movables.candidates
  }

  /** Takes back from borrowers what the gang's queue is guaranteed, at the latest when the grace is over (S8). */
  private reclaim(entry: Entry, request: RequestClass, minDepth: number): boolean {
    const { machine, now } = this.context
    const lender = claimOf(machine, entry.queue, request.options[0]!.gpuMilli)
    if (!lender) return false
    const claim = `reclaim ${lender.queue.id} ${request.index} ${minDepth} ${this.closed.join()}`
    if (this.inVain.has(claim)) return false
    const loss = (occupant: Occupant) => lossOf(occupant, now)
    const borrowed = (occupant: Occupant) => isBorrowing(machine, occupant.user.parent, lender)
    const { live } = machine
    const spared = candidatesAmong(
      this.context,
      live.values(),
      (occupant) => borrowed(occupant) && hasRunEnough(this.context, occupant),
      loss,
    )
    if (this.tryFor(entry, request, minDepth, 'reclaim', new Candidates(spared), { stillMay: borrowed }))
      return true
    // A guarantee outweighs the minimum run time, but only where nothing older would do.
    const all = candidatesAmong(this.context, live.values(), borrowed, loss)
    const done =
      all.length > spared.length &&
      this.tryFor(entry, request, minDepth, 'reclaim', new Candidates(all), { stillMay: borrowed })
    if (!done) this.inVain.add(claim)
    return done
  }

  /** Ends work of lower priority in the same queue. */
  private preempt(entry: Entry, request: RequestClass, minDepth: number): boolean {
    const { now } = this.context
    const owner = `${entry.gang.priority} ${entry.queue.queue.id} ${entry.gang.user}`
    const claim = `preempt ${owner} ${request.index} ${minDepth} ${this.closed.join()}`
    if (this.inVain.has(claim)) return false
    const candidates: Candidate[] = []
    for (const [priority, live] of entry.queue.live) {
      if (priority >= entry.gang.priority) continue
      candidates.push(
        ...candidatesAmong(
          this.context,
          live,
          (occupant) => hasRunEnough(this.context, occupant),
          (occupant) => lossOf(occupant, now),
        ),
      )
    }
    const done =
      this.tryFor(entry, request, minDepth, 'preempt', new Candidates(candidates)) ||
      this.trySets(entry, request, minDepth, 'preempt', this.quotaSets(entry, request, candidates))
    if (!done) this.inVain.add(claim)
    return done
  }

  /** Ends work that the policy's order puts behind the gang; whoever is last in the order goes first. */
  private overtake(entry: Entry, request: RequestClass, minDepth: number): boolean {
    const { machine, evicted } = this.context
    this.order ??= liveInOrder(this.context)
    const last = this.order[0]?.key ?? 0
    const { priority } = entry.gang
    const claim = `${priority} ${entry.queue.queue.id} ${request.index} ${minDepth} ${this.closed.join()}`
    const isOvertaken = (key: number) => key > entry.key && isFarBehind(machine.policy, key, entry.key)
    if (!isOvertaken(last) || (this.overtakesNobody.get(claim) ?? Number.POSITIVE_INFINITY) <= entry.key)
      return false
    // What is guaranteed, also to a part of a gang, would be reclaimed again, and so on without end (E7).
    const mayGo = (occupant: Occupant) =>
      isPartOf(entry.queue, occupant.user.parent) ||
      isBorrowing(machine, occupant.user.parent, entry.queue, occupant.gpuMilli)
    const candidates: Candidate[] = []
    for (const { occupant, key } of this.order) {
      if (!isOvertaken(key)) break
      if (evicted.includes(occupant) || occupant.gang.priority > priority || !mayGo(occupant)) continue
      candidates.push({ occupant, loss: last - key + 1 })
    }
    if (this.tryFor(entry, request, minDepth, 'preempt', new Candidates(candidates), { stillMay: mayGo }))
      return true
    // Those behind it in the order have fewer to overtake.
    this.overtakesNobody.set(claim, entry.key)
    return false
  }

  private tryFor(
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

  private trySets(
    entry: Entry,
    request: RequestClass,
    minDepth: number,
    kind: Kind,
    sets: readonly VictimSet[],
    { stillMay = () => true }: Bounds = {},
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
      if (victims && this.commit(entry, request, minDepth, kind, victims)) return true
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

  /** Where a limit is in the way and not the machine: the cheapest of the queue that bring it under its limit. */
  private quotaSets(entry: Entry, request: RequestClass, candidates: readonly Candidate[]): VictimSet[] {
    const option = request.options[0]!
    let excess = 0
    for (const block of quotaBlocks(this.context.machine, entry, option.gpuMilli, this.context.now)) {
      if (block.kind === 'not-lent' || block.kind === 'budget') return []
      excess = Math.max(excess, block.heldMilli + option.gpuMilli - block.limitMilli)
    }
    const victims: Candidate[] = []
    for (const candidate of [...candidates].sort((a, b) => a.loss - b.loss)) {
      if (excess <= 0) break
      victims.push(candidate)
      excess -= candidate.occupant.gpuMilli
    }
    return victims.length > 0 && excess <= 0 ? [{ victims, loss: 0, domain: 0, option }] : []
  }

  /** `leasts`: what shrunk victims hold in the transaction already. */
  private commit(
    entry: Entry,
    request: RequestClass,
    minDepth: number,
    kind: Kind,
    victims: readonly Candidate[],
    leasts: ReadonlyMap<Occupant, Occupant> = new Map(),
  ): boolean {
    const { transaction, machine, now, holds } = this.context
    const footprint = this.placeFor(entry, request, minDepth)
    if (!footprint) return false
    for (const { occupant } of victims) this.context.evicted.push(occupant)
    const beneficiary = machine.occupant(entry.gang, footprint, now, undefined)
    transaction.occupy(beneficiary)
    const again = this.placeMoved(kind, victims, leasts)
    if (!again) return false
    holds.push(holdFor(this.context, entry, footprint, victims))
    this.context.granted.push({ entry, occupant: beneficiary, now: false })
    for (const { occupant } of victims)
      planRestart(this.context, occupant, again.get(occupant), { for: entry.gang.workload, kind })
    return true
  }

  /** Where the victims go that have a next place, which they must under consolidation and when they were shrunk; undefined where one has none. */
  private placeMoved(
    kind: Kind,
    victims: readonly Candidate[],
    leasts: ReadonlyMap<Occupant, Occupant>,
  ): ReadonlyMap<Occupant, Occupant> | undefined {
    const { transaction, machine } = this.context
    const again = new Map<Occupant, Occupant>()
    // What their beneficiary must leave alone is open to them.
    for (const node of this.closed) machine.fleet.capacity.open(node)
    const areAllPlaced = bySize(victims).every(({ occupant }) => {
      const least = leasts.get(occupant)
      if (least) transaction.vacate(least)
      const moved =
        kind === 'consolidate' || canShrink(occupant) ? placeAgain(this.context, occupant) : undefined
      if (moved) again.set(occupant, moved)
      return moved !== undefined || (kind !== 'consolidate' && !least)
    })
    for (const node of this.closed) machine.fleet.capacity.close(node)
    return areAllPlaced ? again : undefined
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
      if (this.commit(entry, request, minDepth, kind, victims, leasts)) return true
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
  private hasRoom(request: RequestClass, candidatesMilli: number): boolean {
    const { capacity } = this.context.machine.fleet
    return request.options.some(
      (option) => candidatesMilli + capacity.openMilli[option.nodeClass]! >= option.gpuMilli,
    )
  }
}

/** Since when it could have started as far as it is concerned. */
function waitingSince(entry: Entry): TimeMs {
  return Math.max(entry.gang.submittedAt, entry.gang.notBefore)
}

function byAttempt(a: Candidate, b: Candidate): number {
  return compareIds(a.occupant.attempt!, b.occupant.attempt!)
}

function bySize(victims: readonly Candidate[]): Candidate[] {
  return [...victims].sort(
    (a, b) =>
      b.occupant.gpuMilli - a.occupant.gpuMilli || compareIds(a.occupant.attempt!, b.occupant.attempt!),
  )
}
