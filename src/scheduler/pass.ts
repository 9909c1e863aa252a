import type { TimeMs } from '../base/index.ts'
import { SECOND_MS } from '../base/index.ts'
import { budgetFreedAt } from './budget.ts'
import { ClosedNodes } from './closed-nodes.ts'
import { Contenders } from './contenders.ts'
import { earliestPlace } from './earliest.ts'
import { type EvictionContext, holdFor } from './eviction-context.ts'
import { Evictions } from './evictions.ts'
import { type Footprint, footprintGpuMilli, toAllocation, WHOLE_GPU } from './footprint.ts'
import type { Occupant } from './holding.ts'
import type { Machine } from './machine.ts'
import { PlaceMemory } from './place-memory.ts'
import type { Eviction, Hold, Plan, Start } from './plan.ts'
import { Promises } from './promises.ts'
import { type Claim, isOverLimit, quotaBlocks, withinLimits } from './quota.ts'
import { largestFit, type RequestClass, smallest, widestDepth } from './request-class.ts'
import { clearDraining, growElastic } from './restarts.ts'
import { apart } from './spread.ts'
import { isOfUse } from './standing-holds.ts'
import { Transaction } from './transaction.ts'
import { Turns, type Verdict } from './turns.ts'
import type { Entry } from './waiting.ts'

export interface PassOptions {
  /** Leaves nobody out whose likes could not start: the slow twin that tests compare with. */
  readonly askEverybody?: boolean
  /** One that is open already, so that passes follow on each other. */
  readonly transaction?: Transaction
  /** Leaves out the actions that end others. */
  readonly endNobody?: boolean
}

/** What one scheduling pass decides now. The machine is left exactly as it was. */
export function planPass(machine: Machine, now: TimeMs): Plan {
  const pass = new Pass(machine, now)
  const plan = pass.run()
  pass.rollback()
  return plan
}

/**
 * One pass over the machine inside a transaction: allocate in order, give holds to the blocked gangs at the head,
 * backfill behind them. After `run` the transaction stands open, so that an explanation can look at what it left.
 */
export class Pass implements EvictionContext {
  readonly machine: Machine
  readonly now: TimeMs
  readonly transaction: Transaction
  readonly promises: Promises
  private readonly askEverybody: boolean
  /** Under strict order, the blocked gang behind which nobody had a turn. */
  strictHead: Entry | undefined
  /** What it starts now and, held until others have ended, soon. */
  readonly granted: { readonly entry: Entry; readonly occupant: Occupant; readonly now: boolean }[] = []
  private readonly endNobody: boolean
  readonly closed: ClosedNodes
  private startCount = 0
  readonly evictions: Eviction[] = []
  readonly holds: Hold[] = []
  readonly evicted: Occupant[] = []
  readonly restarted: { readonly before: Occupant; readonly after: Occupant }[] = []
  /** Gangs that wait for their hold or were started, with what their turn comes to. Most passes have none, and there are very many passes. */
  served: Map<Entry, Verdict> | undefined
  /** Whether some guarantee could not be served though its grace is over. */
  private owes = false
  /** The first gangs that did not fit, in order. */
  readonly blocked: Entry[] = []
  private evictor: Evictions | undefined
  private readonly contenders: Contenders
  private readonly places: PlaceMemory
  private somebodyLacksRoom = false
  nextPassAt = Number.POSITIVE_INFINITY

  constructor(machine: Machine, now: TimeMs, options: PassOptions = {}) {
    machine.fleet.prepare()
    this.machine = machine
    this.now = now
    this.transaction = options.transaction ?? new Transaction(machine.fleet)
    this.promises = new Promises(machine, now, this.transaction)
    this.places = new PlaceMemory(this.promises)
    this.closed = new ClosedNodes(this)
    this.endNobody = options.endNobody ?? false
    this.askEverybody = options.askEverybody ?? false
    this.contenders = new Contenders(this)
  }

  run(): Plan {
    this.decide()
    const plan = { starts: this.starts(), evictions: this.evictions, holds: this.holds }
    return this.nextPassAt < Number.POSITIVE_INFINITY ? { ...plan, nextPassAt: this.nextPassAt } : plan
  }

  private starts(): Start[] {
    const { tree } = this.machine.fleet
    const starts: Start[] = []
    for (const { entry, occupant, now } of this.granted) {
      const { workload, replica } = entry.gang
      if (now) starts.push({ workload, replica, allocation: toAllocation(tree, occupant.footprint) })
    }
    return starts
  }

  /** Leaves the decisions in the transaction and takes back only what was kept for promises. */
  keepDecisions(): void {
    this.promises.releaseAll()
  }

  decide(): void {
    this.wakeAt(this.machine.waiting.admit(this.now))
    this.startHeld()
    this.wakeAt(this.promises.keepWindows())
    this.allocate()
    if (!this.endNobody) this.evict()
    // What has just started cannot be reclaimed yet.
    if (this.owes && this.granted.length > 0) this.wakeAt(this.now + SECOND_MS)
  }

  rollback(): void {
    this.transaction.rollback(0)
  }

  /** Made when it is first needed: most passes end nobody, and there are very many passes. */
  private get evicting(): Evictions {
    this.evictor ??= new Evictions(this)
    return this.evictor
  }

  closedTo(claim: Claim, gpuMilli: number): number[] {
    return this.closed.always(claim, gpuMilli)
  }

  wakeAt(at: TimeMs | undefined): void {
    if (at !== undefined && at > this.now && at < this.nextPassAt) this.nextPassAt = at
  }

  /** Starts what was held for, where nothing is in the way any more; keeps the other holds that can still be kept. */
  private startHeld(): void {
    const { machine } = this
    for (const { hold, occupants } of machine.holdsInOrder()) {
      if (!isOfUse(machine, hold, this.now)) {
        for (const occupant of occupants) this.transaction.vacate(occupant)
        continue
      }
      const entry = machine.waiting.get(hold.workload, hold.replica)
      const isFree = !hold.waitsFor.some((attempt) => machine.live.has(attempt))
      if (entry?.lane && isFree) {
        for (const occupant of occupants) this.transaction.vacate(occupant)
        const place = machine.footprintOf(entry.gang, hold.allocation)
        // A limit that was lowered since then ends the plan that the place was held by.
        const standing = [...machine.live.values(), ...this.granted.map(({ occupant }) => occupant)]
        if (isOverLimit(standing, entry, footprintGpuMilli(place))) continue
        if (machine.fleet.capacity.isVacant(place)) {
          this.start(entry, place)
          continue
        }
        // A share of a GPU that was left over while others ended may have been taken; it waits for that one too.
        for (const occupant of occupants) this.transaction.occupy(occupant)
      }
      if (entry) this.serve(entry)
      this.holds.push(hold)
    }
  }

  private allocate(): void {
    this.payDebts()
    const turns = new Turns(this.machine, this.now)
    const { backfill, holdDepth } = this.machine.policy
    for (let entry = turns.next(); entry; entry = turns.next()) {
      const verdict = this.served?.get(entry) ?? this.tryStart(entry)
      if (verdict === 'started') {
        turns.started(entry)
        continue
      }
      if (verdict === 'blocked' || verdict === 'waits-for-level') this.somebodyLacksRoom = true
      if (verdict === 'blocked' && !this.overtake(entry)) {
        if (this.blocked.length < holdDepth) this.blocked.push(entry)
        if (backfill === 'strict' && this.closed.leaveEnough(entry, this.requestOf(entry))) {
          this.strictHead = entry
          return
        }
        if (backfill === 'holds' && this.promises.gangCount < holdDepth) this.promise(entry)
        else if (!this.askEverybody) this.leaveOutLike(entry, turns)
      }
      turns.passOver(entry)
    }
  }

  /** Gangs that want the same as a blocked one have no turn where they would be blocked too. */
  private leaveOutLike(entry: Entry, turns: Turns): void {
    if (this.closed.areOwn(entry.gang) || this.promises.hasOwners || this.closed.hasCells) return
    const request = this.requestOf(entry)
    // Where a replica may not stand its likes of other workloads may.
    if (request.request.spread?.mode === 'required') return
    // So may, of other tenants, those whose limits leave them more.
    if (request.amountsDiffer && withinLimits(this.machine, entry, request, this.now) !== request) return
    const widest = widestDepth(request)
    const { preemptByOrdering, holdDepth } = this.machine.policy
    // Whom a gang may overtake depends on what its queue and theirs are guaranteed (E7).
    if (preemptByOrdering && this.machine.queues.guaranteed.length > 0) return
    const byLimit =
      request.isExact &&
      (request.withinRequired || request.withinDepth === undefined) &&
      !preemptByOrdering &&
      !this.promises.hasWindows &&
      this.blocked.length >= holdDepth
    if (this.places.isHopeless(request, widest, this.startCount, byLimit)) {
      turns.closeClass(entry)
    } else if (byLimit) {
      // Shorter ones may use what is kept for those that are due later.
      const failed = this.places.failedUpTo(request, widest)
      const next = this.promises.list[failed]
      turns.closeLonger(entry, next ? next.at - this.now : Number.NEGATIVE_INFINITY)
    }
  }

  /**
   * Gives first what a guarantee has owed for its grace, whatever the priority: what is free, else what borrowers hold.
   * Anybody who started there before would only have to be ended again (S8).
   */
  private payDebts(): void {
    if (!this.machine.policy.reclaim || this.machine.queues.guaranteed.length === 0) return
    for (const entry of this.contenders.belowGuarantee()) {
      const due = this.evicting.owedAt(entry)
      if (due > this.now) this.wakeAt(due)
      else if (this.tryStart(entry) === 'started') this.serve(entry, 'started')
      else {
        if (!this.endNobody) this.tryWithoutPromise(entry, 'reclaim')
        if (!this.served?.has(entry)) this.owes = true
      }
    }
    // Victims may leave more than was needed.
    if (this.evictions.length > 0) this.places.clear()
  }

  /** Under a preemptive order a blocked gang takes the place of running ones behind it. */
  private overtake(entry: Entry): boolean {
    if (!this.machine.policy.preemptByOrdering) return false
    const request = this.requestOf(entry)
    if (!this.evicting.try('overtake', entry, request, this.minDepth(entry, request))) return false
    this.serve(entry)
    // The overtaken may leave more than was needed.
    this.places.clear()
    this.startCount++
    this.payDebts()
    return true
  }

  /** The actions that end others, least disruptive first, each for the gangs that have a claim to it. */
  private evict(): void {
    const { consolidate, preempt } = this.machine.policy
    if (consolidate) for (const entry of this.blocked) this.tryWithoutPromise(entry, 'consolidate')
    if (preempt) for (const entry of this.contenders.aboveOwnQueue()) this.tryWithoutPromise(entry, 'preempt')
    clearDraining(this)
    if (consolidate && !this.somebodyLacksRoom) growElastic(this)
  }

  private tryWithoutPromise(entry: Entry, action: Eviction['kind']): void {
    if (this.served?.has(entry)) return
    const request = this.requestOf(entry)
    if (request.impossible !== undefined) return
    const depth = this.minDepth(entry, request)
    const promised = this.promises.of(entry)
    if (promised) this.transaction.vacate(promised.occupant)
    const wait = promised ? promised.at - this.now : Number.POSITIVE_INFINITY
    if (this.evicting.try(action, entry, request, depth, wait)) {
      this.serve(entry)
      if (promised) this.promises.forget(promised)
    } else if (promised) this.transaction.occupy(promised.occupant)
  }

  requestOf(entry: Entry): RequestClass {
    return this.machine.fleet.compile(entry.classKey, smallest(entry.gang.request))
  }

  private serve(entry: Entry, verdict: Verdict = 'held'): void {
    this.served ??= new Map()
    this.served.set(entry, verdict)
  }

  private tryStart(entry: Entry): Verdict {
    const whole = this.requestOf(entry)
    if (whole.impossible !== undefined) return 'impossible'
    const request = withinLimits(this.machine, entry, whole, this.now)
    if (!request) {
      this.awaitBudgets(entry, whole)
      return 'quota'
    }
    const footprint = this.placeNow(entry, request)
    if (footprint) {
      this.start(entry, this.placeLarger(entry) ?? footprint)
      return 'started'
    }
    const until = this.preferenceUntil(entry, request)
    if (until > this.now) {
      this.wakeAt(until)
      return 'waits-for-level'
    }
    return 'blocked'
  }

  /** Time alone gives a budget back. */
  private awaitBudgets(entry: Entry, { options }: RequestClass): void {
    for (const { gpuMilli } of options)
      for (const block of quotaBlocks(this.machine, entry, gpuMilli, this.now))
        if (block.kind === 'budget')
          this.wakeAt(budgetFreedAt(block.record, block.needed - block.left, this.now))
  }

  /** Whether it would start if its turn were now, on the state that the transaction stands at; for explanations. */
  wouldStart(entry: Entry, request: RequestClass): boolean {
    if (request.impossible !== undefined) return false
    const allowed = withinLimits(this.machine, entry, request, this.now)
    this.places.clear()
    return allowed !== undefined && this.placeNow(entry, allowed) !== undefined
  }

  /** For an elastic gang that fits at its minimum: the largest size up to its maximum that fits too. */
  private placeLarger(entry: Entry): Footprint | undefined {
    const { elastic } = entry.gang.request
    if (!elastic) return undefined
    const { machine, now } = this
    return largestFit(entry.gang.request, elastic.min + 1, elastic.max, (larger) => {
      const compiled = machine.fleet.classOf(larger)
      if (compiled.impossible !== undefined) return undefined
      const allowed = withinLimits(machine, entry, compiled, now)
      return allowed && this.placeNow(entry, allowed)
    })
  }

  private placeNow(entry: Entry, request: RequestClass): Footprint | undefined {
    if (request.request.spread?.mode !== 'preferred') return this.placeOutside(entry, request, [])
    for (const others of apart(this.machine.fleet, entry.gang, request)) {
      const footprint = this.placeOutside(entry, request, others)
      if (footprint) return footprint
    }
    return undefined
  }

  private placeOutside(
    entry: Entry,
    request: RequestClass,
    others: readonly number[],
  ): Footprint | undefined {
    const { capacity } = this.machine.fleet
    const minDepth = this.minDepth(entry, request)
    const outlived = this.promises.outlivedBy(entry.gang)
    const closed = this.closed.to(entry, request)
    closed.push(...others)
    if (closed.length > 0) {
      for (const node of closed) capacity.close(node)
      const footprint =
        this.promises.placeWithout(0, request, minDepth) ??
        (outlived > 0 ? this.promises.placeWithout(outlived, request, minDepth) : undefined) ??
        this.promises.placeOnOwn(entry, request, minDepth)
      for (const node of closed) capacity.open(node)
      return footprint
    }
    return (
      this.places.find(0, request, minDepth, this.startCount) ??
      (outlived > 0 ? this.places.find(outlived, request, minDepth, this.startCount) : undefined) ??
      this.promises.placeOnOwn(entry, request, minDepth)
    )
  }

  private start(entry: Entry, footprint: Footprint): void {
    const occupant = this.machine.occupant(entry.gang, footprint, this.now, undefined)
    this.promises.makeRoom(footprint)
    this.transaction.occupy(occupant)
    this.serve(entry)
    this.startCount++
    // What an overtaken gang leaves beside what was taken from it is free only once it has ended.
    const hold = this.evicted.length > 0 ? holdFor(this, entry, footprint) : undefined
    const now = !hold || hold.waitsFor.length === 0
    if (hold && !now) this.holds.push(hold)
    this.granted.push({ entry, occupant, now })
  }

  /** Gives a blocked gang the earliest place that there is, and keeps its free part from all that would delay it. */
  private promise(entry: Entry): void {
    const request = this.requestOf(entry)
    if (request.options[0]!.milli < WHOLE_GPU) return
    const { fleet } = this.machine
    const closed = this.closed.to(entry, request)
    for (const node of closed) fleet.capacity.close(node)
    const place = earliestPlace(fleet, request, widestDepth(request), this.now)
    for (const node of closed) fleet.capacity.open(node)
    if (place) this.promises.give(entry, place)
  }

  private minDepth(entry: Entry, request: RequestClass): number {
    if (request.withinDepth === undefined) return 0
    return request.withinRequired || this.preferenceUntil(entry, request) > this.now ? request.withinDepth : 0
  }

  /** Until when a preferred level is held out for; 0 when there is none. */
  preferenceUntil(entry: Entry, request: RequestClass): TimeMs {
    if (request.withinDepth === undefined || request.withinRequired) return 0
    return entry.gang.submittedAt + (request.request.within?.waitMs ?? 0)
  }
}
