import type { QueueId, TimeMs, UserId, WorkloadId } from '../base/index.ts'
import type { Reservation } from '../model/index.ts'
import { openQueue } from '../model/index.ts'
import { type EarliestPlace, gpusFreeBy } from './earliest.ts'
import { type Footprint, WHOLE_GPU } from './footprint.ts'
import type { QueuedGang } from './gang.ts'
import type { Occupant, UserRecord } from './holding.ts'
import type { Machine } from './machine.ts'
import { type ChosenNodes, chooseNodes, footprintOn, isPlacedByCount, place } from './placement.ts'
import type { Claim } from './quota.ts'
import type { RequestClass } from './request-class.ts'
import type { Transaction } from './transaction.ts'
import type { Entry } from './waiting.ts'
import { binds, inTime, isOwner, LOOK_AHEAD_MS, reservedNodes } from './windows.ts'

/** Capacity promised from a time on: to a blocked gang at the head, or to a calendar window. */
export interface Promised {
  /** Absent for a calendar window. */
  readonly entry: Entry | undefined
  readonly reservation: Reservation | undefined
  readonly at: TimeMs
  /** Keeps what is free of it now from those that would not have ended by then; lists all its nodes. */
  occupant: Occupant
}

/** What one pass keeps free for later, and who may still use it until then. */
export class Promises {
  /** Due last first. */
  readonly list: Promised[] = []
  hasOwners = false
  /** Windows let more in than their time alone says: their owners, and for a week what has no limit. */
  hasWindows = false
  private readonly machine: Machine
  private readonly now: TimeMs
  private readonly transaction: Transaction

  constructor(machine: Machine, now: TimeMs, transaction: Transaction) {
    this.machine = machine
    this.now = now
    this.transaction = transaction
  }

  get gangCount(): number {
    return this.list.reduce((count, { entry }) => count + (entry ? 1 : 0), 0)
  }

  of(entry: Entry): Promised | undefined {
    return this.list.find((promised) => promised.entry === entry)
  }

  forget(promised: Promised): void {
    this.list.splice(this.list.indexOf(promised), 1)
  }

  /** What `look` says while this promise is not there. */
  lookWithout<Found>(promised: Promised, look: () => Found): Found {
    const mark = this.transaction.mark()
    const at = this.list.indexOf(promised)
    this.list.splice(at, 1)
    this.transaction.vacate(promised.occupant)
    const found = look()
    this.transaction.rollback(mark)
    this.list.splice(at, 0, promised)
    return found
  }

  releaseAll(): void {
    for (const promised of this.list) this.transaction.vacate(promised.occupant)
    this.list.length = 0
  }

  /** Keeps the nodes of calendar windows; returns when the next one opens or closes. */
  keepWindows(): TimeMs | undefined {
    if (this.machine.reservations.size === 0) return undefined
    let next: TimeMs | undefined
    for (const reservation of inTime(this.machine.reservations.values())) {
      const { from, to } = reservation
      if (to <= this.now) continue
      this.hasWindows = true
      const edge = from > this.now ? from : to
      if (next === undefined || edge < next) next = edge
      if (reservation.owners && from <= this.now) this.hasOwners = true
      this.keep({ entry: undefined, reservation, at: from, occupant: this.windowOccupant(reservation) })
    }
    return next
  }

  /** Keeps the gang's place from all that would delay it. */
  give(entry: Entry, place: EarliestPlace): void {
    const occupant = this.machine.occupant(entry.gang, this.missedPart(place), place.at, undefined)
    occupant.gpuMilli = 0
    this.keep({ entry, reservation: undefined, at: place.at, occupant })
  }

  /** Keeps the gang out of the nodes of windows that bind it, wholly; taken back with the transaction. */
  keepOut(claim: Claim): void {
    for (const node of this.closedTo(claim)) this.transaction.close(node)
  }

  /** As if this promise were not there, for a gang that was kept out. */
  lift({ reservation, occupant }: Promised, claim: Claim): void {
    this.transaction.vacate(occupant)
    if (!reservation || !binds(reservation, claim, this.now)) return
    for (const node of occupant.footprint.nodes) this.transaction.open(node)
  }

  /** How many promises the gang will surely have left by the time they are due, given its limit; those are the first. */
  outlivedBy({ limitMs }: QueuedGang): number {
    const endsAt = this.now + (limitMs ?? LOOK_AHEAD_MS)
    let count = 0
    for (const { at, reservation } of this.list) {
      if (at < endsAt || (limitMs === undefined && !reservation)) break
      count++
    }
    return count
  }

  /** Nodes of windows that bind the gang: also what others leave there in this pass is not for it. */
  closedTo(claim: Claim): number[] {
    return this.list.flatMap(({ reservation, occupant }) =>
      reservation && binds(reservation, claim, this.now) ? occupant.footprint.nodes : [],
    )
  }

  /** Places as if the first `count` promises, those due last, kept nothing. */
  placeWithout(count: number, request: RequestClass, minDepth: number): Footprint | undefined {
    const { capacity } = this.machine.fleet
    if (count === 0 || request.impossible !== undefined) return place(capacity, request, minDepth)
    if (isPlacedByCount(request)) {
      const chosen = this.chooseWithout(count, request, minDepth)
      return chosen && footprintOn(request, chosen, (node, wanted) => this.gpusWithout(count, node, wanted))
    }
    for (let i = 0; i < count; i++) capacity.free(this.list[i]!.occupant.footprint)
    const footprint = place(capacity, request, minDepth)
    for (let i = count - 1; i >= 0; i--) capacity.take(this.list[i]!.occupant.footprint)
    return footprint
  }

  /** Whether `placeWithout` would find a place. */
  fitsWithout(count: number, request: RequestClass, minDepth: number): boolean {
    const isByCount = request.impossible === undefined && isPlacedByCount(request)
    const found = isByCount
      ? this.chooseWithout(count, request, minDepth)
      : this.placeWithout(count, request, minDepth)
    return found !== undefined
  }

  private chooseWithout(count: number, request: RequestClass, minDepth: number): ChosenNodes | undefined {
    const { capacity } = this.machine.fleet
    for (let i = 0; i < count; i++) capacity.countFree(this.list[i]!.occupant.footprint, 1)
    const chosen = chooseNodes(capacity, request, minDepth)
    for (let i = 0; i < count; i++) capacity.countFree(this.list[i]!.occupant.footprint, -1)
    return chosen
  }

  /** The lowest GPUs of a node that are free when the first `count` promises are given up. */
  private gpusWithout(count: number, node: number, wanted: number): readonly number[] {
    const { capacity } = this.machine.fleet
    const free = capacity.freeGpus(node, capacity.nodeFree[node]!)
    if (free.length >= capacity.tree.descriptions[node]!.gpuCount) return capacity.freeGpus(node, wanted)
    const all = [...free]
    for (let i = 0; i < count; i++) {
      const { nodes, gpus } = this.list[i]!.occupant.footprint
      const at = nodes.indexOf(node)
      if (at >= 0) all.push(...gpus[at]!)
    }
    return all.sort((a, b) => a - b).slice(0, wanted)
  }

  /** Places on the open windows that are this gang's own. */
  placeOnOwn(entry: Entry, request: RequestClass, minDepth: number): Footprint | undefined {
    if (!this.hasOwners) return undefined
    const { capacity } = this.machine.fleet
    const own = this.list.filter(
      ({ reservation, at }) => reservation && at <= this.now && isOwner(reservation, entry),
    )
    if (own.length === 0) return undefined
    // A later window on the same nodes, such as maintenance, binds the owners too.
    const others = this.closedTo(entry)
    for (const node of others) capacity.close(node)
    for (const promised of own) capacity.free(promised.occupant.footprint)
    const footprint = place(capacity, request, minDepth)
    for (const promised of own.reverse()) capacity.take(promised.occupant.footprint)
    for (const node of others) capacity.open(node)
    return footprint
  }

  /** Takes from the promises what a gang that was placed on them uses. */
  makeRoom(footprint: Footprint): void {
    for (const promised of this.list) {
      const rest = without(promised.occupant.footprint, footprint)
      if (!rest) continue
      this.transaction.vacate(promised.occupant)
      promised.occupant = { ...promised.occupant, footprint: rest }
      this.transaction.occupy(promised.occupant)
    }
  }

  private keep(promised: Promised): void {
    this.transaction.occupy(promised.occupant)
    this.list.push(promised)
    this.list.sort((a, b) => b.at - a.at)
  }

  /** On each node as many of its free GPUs as the gang would miss if others kept them. */
  private missedPart({ at, nodes, option }: EarliestPlace): Footprint {
    const { fleet } = this.machine
    const { capacity } = fleet
    const gpus = nodes.map((n) => {
      const free = capacity.nodeFree[n]!
      if (free === 0) return []
      const spare = Math.max(0, gpusFreeBy(fleet, n, at, this.now) - option.gpusPerNode)
      return capacity.freeGpus(n, Math.max(0, free - spare))
    })
    return { nodes, gpus, milli: WHOLE_GPU, cpuMilli: 0, memoryMib: 0 }
  }

  private windowOccupant(reservation: Reservation): Occupant {
    const { capacity } = this.machine.fleet
    const nodes = reservedNodes(this.machine.fleet.tree, reservation)
    const gpus = nodes.map((n) => capacity.freeGpus(n, capacity.nodeFree[n]!))
    return {
      gang: WINDOW_GANG,
      user: nobody(),
      attempt: undefined,
      footprint: { nodes, gpus, milli: WHOLE_GPU, cpuMilli: 0, memoryMib: 0 },
      model: 0,
      gpuMilli: 0,
      startedAt: reservation.from,
      endsAt: reservation.to,
      checkpointAt: undefined,
      stopping: false,
    }
  }
}

/** Stands in for the gang where a window keeps nodes; it belongs to no queue and counts for none. */
const WINDOW_GANG: QueuedGang = {
  workload: '' as WorkloadId,
  replica: 0,
  queue: '' as QueueId,
  user: '' as UserId,
  priority: 0,
  submittedAt: 0,
  request: { shape: { kind: 'gpus', gpus: 0 } },
  preemptible: false,
  notBefore: 0,
  waitsFor: [],
  avoid: [],
  attainedGpuMs: 0,
}

function nobody(): UserRecord {
  const usage = { weight: 1, heldMilli: 0, held: [], heldSince: [], ended: [] }
  const parent = {
    ...usage,
    parent: undefined,
    queue: openQueue('' as QueueId),
    users: new Map(),
    live: new Map(),
    inLine: 0,
    budgetSpans: [],
    budgetAt: undefined,
  }
  return { ...usage, parent, user: '' as UserId }
}

/** The first footprint less what the second takes of it; undefined when they share nothing. */
function without(kept: Footprint, taken: Footprint): Footprint | undefined {
  let gpus: (readonly number[])[] | undefined
  taken.nodes.forEach((node, p) => {
    const at = kept.nodes.indexOf(node)
    if (at < 0 || kept.gpus[at]!.length === 0) return
    const left = kept.gpus[at]!.filter((gpu) => !taken.gpus[p]!.includes(gpu))
    if (left.length === kept.gpus[at]!.length) return
    gpus ??= [...kept.gpus]
    gpus[at] = left
  })
  return gpus && { ...kept, gpus }
}
