import type { AttemptId, ReservationId, TimeMs } from '../base/index.ts'
import { compareIds, id } from '../base/index.ts'
import type { Occupant } from './fleet.ts'
import { type Footprint, footprintGpuMilli, toAllocation, WHOLE_GPU } from './footprint.ts'
import type { Machine } from './machine.ts'
import { place } from './placement.ts'
import type { Eviction, Hold } from './plan.ts'
import { isBorrowing, isWithinGuarantee, quotaBlocks } from './quota.ts'
import { largestFit, type RequestClass, requestSize, resized } from './request-class.ts'
import type { Transaction } from './transaction.ts'
import { type Candidate, lossOf, type VictimSet, victimSets } from './victims.ts'
import type { Entry } from './waiting.ts'

/** What an eviction needs to know of the pass that it belongs to. */
export interface EvictionContext {
  readonly machine: Machine
  readonly now: TimeMs
  readonly transaction: Transaction
  readonly evictions: Eviction[]
  readonly holds: Hold[]
  readonly granted: { readonly entry: Entry; readonly occupant: Occupant; readonly now: boolean }[]
  /** Another pass is wanted then, because something becomes possible. */
  wakeAt(at: TimeMs | undefined): void
}

type Kind = Eviction['kind']

interface Bounds {
  /** Whether a set is worth what it loses. */
  readonly isWorth?: (set: VictimSet) => boolean
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
  /** Ended by this pass; their GPUs are what the holds wait for. */
  private readonly evicted: Occupant[] = []
  private order: { readonly occupant: Occupant; readonly key: number }[] | undefined
  private readonly overtakesNobody = new Set<string>()
  /** Claims by priority, owner and request for which nothing in the queue can make room. */
  private readonly inVain = new Set<string>()

  constructor(context: EvictionContext) {
    this.context = context
  }

  /** Moves others so that the gang fits; each of them gets a new place at once, and less work is lost than would be waited. */
  consolidate(entry: Entry, request: RequestClass, minDepth: number, waitMs: number): boolean {
    const { now, machine } = this.context
    if (!this.hasRoom(request, [])) return false
    const worth = (request.options[0]!.gpuMilli / 1000) * waitMs
    const candidates = this.candidates(
      machine.live.values(),
      (occupant) => this.hasRunEnough(occupant),
      (occupant) => lossOf(occupant, now),
    )
    return this.tryFor(entry, request, minDepth, 'consolidate', candidates, {
      isWorth: (set) => set.loss <= worth,
    })
  }

  /** Takes back from borrowers what the gang's queue is guaranteed, at the latest when the grace is over (S8). */
  reclaim(entry: Entry, request: RequestClass, minDepth: number): boolean {
    const { machine, now } = this.context
    const { reclaimGraceMs, evictionGraceMs } = machine.policy
    if (!isWithinGuarantee(machine, entry.queue, request.options[0]!.gpuMilli)) return false
    const due = waitingSince(entry) + Math.max(0, reclaimGraceMs - evictionGraceMs)
    if (due > now) {
      this.context.wakeAt(due)
      return false
    }
    const loss = (occupant: Occupant) => lossOf(occupant, now)
    const borrowed = (occupant: Occupant) => isBorrowing(machine, occupant.user.parent, entry.queue)
    const { live } = machine
    const spared = this.candidates(
      live.values(),
      (occupant) => borrowed(occupant) && this.hasRunEnough(occupant),
      loss,
    )
    if (this.tryFor(entry, request, minDepth, 'reclaim', spared, { stillMay: borrowed })) return true
    // A guarantee outweighs the minimum run time, but only where nothing older would do.
    const all = this.candidates(live.values(), borrowed, loss)
    return (
      all.length > spared.length &&
      this.tryFor(entry, request, minDepth, 'reclaim', all, { stillMay: borrowed })
    )
  }

  /** Ends work of lower priority in the same queue. */
  preempt(entry: Entry, request: RequestClass, minDepth: number): boolean {
    const { now } = this.context
    const claim = `${entry.gang.priority} ${entry.queue.queue.id} ${entry.gang.user} ${request.index}`
    if (this.inVain.has(claim)) return false
    const candidates: Candidate[] = []
    for (const [priority, live] of entry.queue.live) {
      if (priority >= entry.gang.priority) continue
      candidates.push(
        ...this.candidates(
          live,
          (occupant) => this.hasRunEnough(occupant),
          (occupant) => lossOf(occupant, now),
        ),
      )
    }
    const done =
      this.tryFor(entry, request, minDepth, 'preempt', candidates) ||
      this.trySets(entry, request, minDepth, 'preempt', this.quotaSets(entry, request, candidates))
    if (!done) this.inVain.add(claim)
    return done
  }

  /** Ends work that the policy's order puts behind the gang; whoever is last in the order goes first. */
  preemptByOrder(entry: Entry, request: RequestClass, minDepth: number): boolean {
    this.order ??= this.liveInOrder()
    const last = this.order[0]?.key ?? 0
    if (last <= entry.key || this.overtakesNobody.has(request.key)) return false
    const candidates: Candidate[] = []
    for (const { occupant, key } of this.order) {
      if (key <= entry.key) break
      if (this.evicted.includes(occupant) || occupant.gang.priority > entry.gang.priority) continue
      candidates.push({ occupant, loss: last - key + 1 })
    }
    if (this.tryFor(entry, request, minDepth, 'preempt', candidates)) return true
    // Those behind it in the order have fewer to overtake.
    this.overtakesNobody.add(request.key)
    return false
  }

  /** What may be ended by the policy's order, last in the order first. */
  private liveInOrder(): { readonly occupant: Occupant; readonly key: number }[] {
    const { machine, now } = this.context
    const order: { occupant: Occupant; key: number }[] = []
    for (const occupant of machine.live.values()) {
      if (occupant.stopping || !occupant.gang.preemptible) continue
      this.context.wakeAt(machine.nextLevelAt(occupant, now))
      if (this.hasRunEnough(occupant)) order.push({ occupant, key: machine.liveKey(occupant, now) })
      else this.context.wakeAt(occupant.startedAt + machine.policy.minimumRunMs)
    }
    return order.sort((a, b) => b.key - a.key || compareIds(b.occupant.attempt!, a.occupant.attempt!))
  }

  private candidates(
    live: Iterable<Occupant>,
    may: (occupant: Occupant) => boolean,
    loss: (occupant: Occupant) => number,
  ): Candidate[] {
    const candidates: Candidate[] = []
    for (const occupant of live) {
      if (occupant.stopping || !occupant.gang.preemptible || this.evicted.includes(occupant)) continue
      if (may(occupant)) candidates.push({ occupant, loss: loss(occupant) })
    }
    return candidates
  }

  private hasRunEnough(occupant: Occupant): boolean {
    const { machine, now } = this.context
    const until = occupant.startedAt + machine.policy.minimumRunMs
    return until <= now
  }

  private tryFor(
    entry: Entry,
    request: RequestClass,
    minDepth: number,
    kind: Kind,
    candidates: readonly Candidate[],
    bounds: Bounds = {},
  ): boolean {
    if (candidates.length === 0 || !this.hasRoom(request, candidates)) return false
    const sets = victimSets(this.context.machine.fleet, request, candidates, minDepth)
    return this.trySets(entry, request, minDepth, kind, sets, bounds)
  }

  private trySets(
    entry: Entry,
    request: RequestClass,
    minDepth: number,
    kind: Kind,
    sets: readonly VictimSet[],
    { isWorth = () => true, stillMay = () => true }: Bounds = {},
  ): boolean {
    const { transaction } = this.context
    for (const set of sets) {
      if (!isWorth(set)) continue
      const mark = transaction.mark()
      const before = this.evicted.length
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
      this.evicted.length = before
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
    return needed.sort((a, b) => compareIds(a.occupant.attempt!, b.occupant.attempt!))
  }

  private fits(entry: Entry, request: RequestClass, minDepth: number): boolean {
    const { machine } = this.context
    return (
      quotaBlocks(machine, entry, request.options[0]!.gpuMilli, this.context.now).length === 0 &&
      place(machine.fleet.capacity, request, minDepth) !== undefined
    )
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

  private commit(
    entry: Entry,
    request: RequestClass,
    minDepth: number,
    kind: Kind,
    victims: readonly Candidate[],
  ): boolean {
    const { transaction, machine, now, holds, evictions } = this.context
    const footprint = place(machine.fleet.capacity, request, minDepth)
    if (!footprint) return false
    for (const { occupant } of victims) this.evicted.push(occupant)
    const beneficiary = machine.occupant(entry.gang, footprint, now, undefined)
    transaction.occupy(beneficiary)
    const planned: Hold[] = [this.holdFor(entry.gang.workload, entry.gang.replica, footprint)]
    for (const { occupant } of bySize(victims)) {
      const shrinks = canShrink(occupant)
      const moved = kind === 'consolidate' || shrinks ? this.placeAgain(occupant) : undefined
      if (kind === 'consolidate' && !moved) return false
      if (moved) {
        planned.push(this.holdFor(occupant.gang.workload, occupant.gang.replica, moved))
      }
    }
    holds.push(...planned)
    this.context.granted.push({ entry, occupant: beneficiary, now: false })
    for (const { occupant } of victims) {
      evictions.push({
        attempt: occupant.attempt!,
        for: entry.gang.workload,
        kind,
        graceMs: machine.policy.evictionGraceMs,
      })
    }
    return true
  }

  /** A place for a victim that is moved: as large as before, or as large as an elastic gang still can be. */
  private placeAgain(occupant: Occupant): Footprint | undefined {
    const { transaction, machine, now } = this.context
    const { request } = occupant.gang
    const size = sizeOf(occupant)
    const footprint =
      this.placeSized(occupant, size) ??
      (request.elastic &&
        largestFit(request, request.elastic.min, size - 1, (smaller) =>
          this.placeSized(occupant, requestSize(smaller)),
        ))
    if (footprint) transaction.occupy(machine.occupant(occupant.gang, footprint, now, undefined))
    return footprint
  }

  private placeSized({ gang: { request, avoid } }: Occupant, size: number): Footprint | undefined {
    const { machine, now, transaction } = this.context
    const sized = machine.fleet.classOf(request.elastic ? resized(request, size) : request)
    const mark = transaction.mark()
    for (const { node, until } of avoid) {
      const n = machine.fleet.tree.nodeIndex.get(node)
      if (n !== undefined && until > now) transaction.close(n)
    }
    const footprint = place(machine.fleet.capacity, sized, sized.withinRequired ? sized.withinDepth! : 0)
    transaction.rollback(mark)
    return footprint
  }

  /** Work on draining nodes that may be ended starts again elsewhere, where there is room for it. */
  clearDraining(): void {
    const { machine } = this.context
    const { onNode, tree } = machine.fleet
    const there = new Set<Occupant>()
    for (const node of machine.fleet.draining) {
      for (const occupant of onNode[tree.nodeIndex.get(node)!]!)
        if (occupant.attempt !== undefined) there.add(occupant)
    }
    for (const { occupant } of this.candidates(
      there,
      () => true,
      () => 0,
    ).sort(byAttempt))
      this.restart(occupant, () => this.placeAgain(occupant))
  }

  /** With nobody waiting, an elastic gang starts again larger where that gains more than it loses. */
  growElastic(): void {
    const { machine, transaction, now } = this.context
    if (machine.waiting.bands.length > 0) return
    const elastic = [...machine.live.values()].filter(({ gang }) => gang.request.elastic !== undefined)
    const grown = this.candidates(
      elastic,
      (occupant) => sizeOf(occupant) < occupant.gang.request.elastic!.max && this.hasRunEnough(occupant),
      (occupant) => lossOf(occupant, now),
    ).sort(byAttempt)
    for (const { occupant, loss } of grown) {
      this.restart(occupant, () => {
        const { request } = occupant.gang
        const footprint = largestFit(request, sizeOf(occupant) + 1, request.elastic!.max, (larger) =>
          this.placeSized(occupant, requestSize(larger)),
        )
        if (!footprint) return undefined
        const gained = footprintGpuMilli(footprint) - occupant.gpuMilli
        if (loss > (gained / 1000) * Math.max(0, occupant.endsAt - now)) return undefined
        transaction.occupy(machine.occupant(occupant.gang, footprint, now, undefined))
        return footprint
      })
    }
  }

  /** Ends an attempt for its own workload's sake: the next one has its place before this one is told to go. */
  private restart(occupant: Occupant, findPlace: () => Footprint | undefined): void {
    const { transaction, machine, holds, evictions } = this.context
    const mark = transaction.mark()
    transaction.vacate(occupant)
    this.evicted.push(occupant)
    const footprint = findPlace()
    if (!footprint) {
      this.evicted.pop()
      transaction.rollback(mark)
      return
    }
    const { workload, replica } = occupant.gang
    holds.push(this.holdFor(workload, replica, footprint))
    evictions.push({
      attempt: occupant.attempt!,
      for: workload,
      kind: 'consolidate',
      graceMs: machine.policy.evictionGraceMs,
    })
  }

  /** A look before anything is searched: whether what is free and what the candidates hold is enough at all. */
  private hasRoom(request: RequestClass, candidates: readonly Candidate[]): boolean {
    const { tree, capacity } = this.context.machine.fleet
    return request.options.some((option) => {
      let room = 0
      for (const { occupant } of candidates) room += occupant.gpuMilli
      for (let n = 0; n < tree.nodeCount && room < option.gpuMilli; n++)
        if (tree.nodeClass[n] === option.nodeClass && capacity.closed[n] === 0) room += capacity.milliFree[n]!
      return room >= option.gpuMilli
    })
  }

  /** A hold of this place until everything on it that this pass ended is gone. */
  holdFor(workload: Hold['workload'], replica: number, footprint: Footprint): Hold {
    const { tree } = this.context.machine.fleet
    const waitsFor = this.evicted
      .filter((occupant) => overlap(occupant.footprint, footprint))
      .map((occupant) => occupant.attempt as AttemptId)
      .sort(compareIds)
    return {
      id: id<ReservationId>(`hold.${workload}.${replica}.${this.context.now}`),
      workload,
      replica,
      allocation: toAllocation(tree, footprint),
      waitsFor,
    }
  }
}

/** Since when it could have started as far as it is concerned. */
export function waitingSince(entry: Entry): TimeMs {
  return Math.max(entry.gang.submittedAt, entry.gang.notBefore)
}

/** Nodes or GPUs that it runs on, in the unit of its shape. */
function sizeOf({ gang, footprint, gpuMilli }: Occupant): number {
  return gang.request.shape.kind === 'nodes' ? footprint.nodes.length : gpuMilli / WHOLE_GPU
}

function canShrink(occupant: Occupant): boolean {
  const { elastic } = occupant.gang.request
  return elastic !== undefined && sizeOf(occupant) > elastic.min
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

function overlap(a: Footprint, b: Footprint): boolean {
  return a.nodes.some((node, p) => {
    const q = b.nodes.indexOf(node)
    return q >= 0 && a.gpus[p]!.some((gpu) => b.gpus[q]!.includes(gpu))
  })
}
