import type { TimeMs } from '../base/index.ts'
import { candidatesAmong, type EvictionContext, hasRunEnough } from './eviction-context.ts'
import type { Occupant } from './holding.ts'
import { isFarBehind, liveInOrder, type Placed } from './live-order.ts'
import type { Yielding } from './moves.ts'
import { claimOf, isBorrowing, isPartOf, quotaBlocks } from './quota.ts'
import type { RequestClass } from './request-class.ts'
import { type Kind, RoomMaker } from './room-maker.ts'
import { type Candidate, Candidates, lossOf, type VictimSet, victimSets } from './victims.ts'
import type { Entry } from './waiting.ts'

/** Who may be ended or moved for a blocked gang, for each of the actions. */
export class Evictions {
  private readonly context: EvictionContext
  private readonly room: RoomMaker
  private order: readonly Placed[] | undefined
  private movables:
    | { readonly evicted: number; readonly worth: number; readonly candidates: Candidates }
    | undefined
  /** By priority, queue and request: the first key that overtook nobody. */
  private readonly overtakesNobody = new Map<string, number>()
  /** Claims by kind, owner and request for which nobody's end makes room. */
  private readonly inVain = new Set<string>()

  constructor(context: EvictionContext) {
    this.context = context
    this.room = new RoomMaker(context)
  }

  /** Tries one action for a gang, which is kept from the nodes that it must leave alone. */
  try(action: Kind | 'overtake', entry: Entry, request: RequestClass, minDepth: number, waitMs = 0): boolean {
    const { capacity } = this.context.machine.fleet
    this.room.closed = this.context.closedTo(entry, request.options[0]!.gpuMilli)
    for (const node of this.room.closed) capacity.close(node)
    const done =
      action === 'consolidate'
        ? this.consolidate(entry, request, minDepth, waitMs)
        : this[action](entry, request, minDepth)
    for (const node of this.room.closed) capacity.open(node)
    this.room.closed = []
    return done
  }

  /** When the gang has waited so long for what its queue is guaranteed that borrowers must begin to give it back. */
  owedAt(entry: Entry): TimeMs {
    const { reclaimGraceMs, evictionGraceMs } = this.context.machine.policy
    return waitingSince(entry) + Math.max(0, reclaimGraceMs - evictionGraceMs)
  }

  /** Moves others so that the gang fits; each of them gets a new place at once, and less work is lost than would be waited. */
  private consolidate(entry: Entry, request: RequestClass, minDepth: number, waitMs: number): boolean {
    if (!this.room.hasRoom(request, 0)) return false
    const worth = (request.options[0]!.gpuMilli / 1000) * waitMs
    return this.room.tryFor(entry, request, minDepth, 'consolidate', this.movable(worth), { worth })
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
    const claim = `reclaim ${lender.queue.id} ${request.index} ${minDepth} ${this.room.closed.join()}`
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
    if (this.room.tryFor(entry, request, minDepth, 'reclaim', new Candidates(spared), { stillMay: borrowed }))
      return true
    // A guarantee outweighs the minimum run time, but only where nothing older would do.
    const all = candidatesAmong(this.context, live.values(), borrowed, loss)
    const done =
      all.length > spared.length &&
      this.room.tryFor(entry, request, minDepth, 'reclaim', new Candidates(all), { stillMay: borrowed })
    if (!done) this.inVain.add(claim)
    return done
  }

  /** Ends work of lower priority in the same queue. */
  private preempt(entry: Entry, request: RequestClass, minDepth: number): boolean {
    const { now } = this.context
    const owner = `${entry.gang.priority} ${entry.queue.queue.id} ${entry.gang.user}`
    const claim = `preempt ${owner} ${request.index} ${minDepth} ${this.room.closed.join()}`
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
      this.room.tryFor(entry, request, minDepth, 'preempt', new Candidates(candidates)) ||
      this.room.trySets(entry, request, minDepth, 'preempt', this.quotaSets(entry, request, candidates))
    if (!done) this.inVain.add(claim)
    return done
  }

  /** Ends work that the policy's order puts behind the gang; whoever is last in the order goes first. */
  private overtake(entry: Entry, request: RequestClass, minDepth: number): boolean {
    const { machine, evicted } = this.context
    this.order ??= liveInOrder(this.context)
    const last = this.order[0]?.key ?? 0
    const { priority } = entry.gang
    const claim = `${priority} ${entry.queue.queue.id} ${request.index} ${minDepth} ${this.room.closed.join()}`
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
    const behind = new Candidates(candidates)
    if (this.room.tryFor(entry, request, minDepth, 'preempt', behind, { stillMay: mayGo })) return true
    if (machine.policy.consolidate && this.overtakeMoving(entry, request, minDepth, behind, mayGo))
      return true
    // Those behind it in the order have fewer to overtake.
    this.overtakesNobody.set(claim, entry.key)
    return false
  }

  /** Where those behind it are scattered: what stands between them, though it is before it in the order, moves. */
  private overtakeMoving(
    entry: Entry,
    request: RequestClass,
    minDepth: number,
    behind: Candidates,
    may: Yielding['may'],
  ): boolean {
    const { machine, now } = this.context
    const dearest = behind.list.at(-1)?.loss
    if (dearest === undefined || !this.room.hasRoom(request, behind.gpuMilli)) return false
    const goes = new Set(behind.list.map(({ occupant }) => occupant))
    const moved = candidatesAmong(
      this.context,
      machine.live.values(),
      (occupant) => !goes.has(occupant) && hasRunEnough(this.context, occupant),
      (occupant) => dearest + lossOf(occupant, now),
    )
    const sets = victimSets(machine.fleet, request, new Candidates([...behind.list, ...moved]), minDepth)
    return this.room.trySets(entry, request, minDepth, 'preempt', sets, {
      stillMay: (occupant) => !goes.has(occupant) || may(occupant),
      yielding: { goes, candidates: behind.list, may },
    })
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
}

/** Since when it could have started as far as it is concerned. */
function waitingSince(entry: Entry): TimeMs {
  return Math.max(entry.gang.submittedAt, entry.gang.notBefore)
}
