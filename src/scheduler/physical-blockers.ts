import type { TimeMs } from '../base/index.ts'
import { formatDuration } from '../base/index.ts'
import type { Reservation } from '../model/index.ts'
import { are, listed, workloads } from './amounts.ts'
import { askedForOthers, hasOwnNodes, notAskedFor } from './asked-nodes.ts'
import type { Blocker } from './explanation.ts'
import { gangKey } from './gang.ts'
import { named } from './holders.ts'
import type { Occupant } from './holding.ts'
import { fewest, keptBlocker } from './kept-blocker.ts'
import type { Machine } from './machine.ts'
import type { Pass } from './pass.ts'
import { place } from './placement.ts'
import type { Promised } from './promises.ts'
import type { RequestClass } from './request-class.ts'
import { shortage } from './shortage.ts'
import { apartAlways, sharesDomain } from './spread.ts'
import type { Transaction } from './transaction.ts'
import type { Entry } from './waiting.ts'
import { binds, inTime } from './windows.ts'

/** What is in the way in the machine itself, on the state that a pass has left. */
export class PhysicalBlockers {
  private readonly pass: Pass
  private readonly machine: Machine
  private readonly now: TimeMs
  private readonly transaction: Transaction
  /** What holds for all gangs of one class. */
  private readonly byClass = new Map<string, readonly Blocker[]>()

  constructor(pass: Pass) {
    this.pass = pass
    this.machine = pass.machine
    this.now = pass.now
    this.transaction = pass.transaction
  }

  of(entry: Entry, request: RequestClass): readonly Blocker[] {
    const { gang } = entry
    const isAlone =
      hasOwnNodes(gang) ||
      request.request.spread?.mode === 'required' ||
      this.pass.closed.hasCells ||
      this.pass.promises.of(entry) !== undefined
    const windows = this.bindingWindows(entry).map(({ id }) => id)
    const key = `${isAlone ? gangKey(gang.workload, gang.replica) : ''} ${windows.join()} ${request.key}`
    let found = this.byClass.get(key)
    if (!found) {
      const outset = this.transaction.mark()
      found = this.find(entry, request)
      this.transaction.rollback(outset)
      this.byClass.set(key, found)
    }
    return found
  }

  private bindingWindows(entry: Entry): Reservation[] {
    return inTime(this.machine.reservations.values()).filter((window) => binds(window, entry, this.now))
  }

  /** Each is found by taking it away and trying again; what only together is in the way is named together. */
  private find(entry: Entry, request: RequestClass): Blocker[] {
    const { pass, transaction, machine } = this
    const { fleet } = machine
    const minDepth = request.withinRequired ? (request.withinDepth ?? 0) : 0
    const fits = () => place(fleet.capacity, request, minDepth) !== undefined
    const own = pass.promises.of(entry)
    if (own) transaction.vacate(own.occupant)
    const causes = this.causes(entry, request)
    for (const { nodes } of causes) for (const node of nodes) transaction.close(node)
    pass.promises.keepOut(entry)
    if (fits()) return []
    const mark = transaction.mark()
    const fitsAfter = (change: () => void) => {
      change()
      const after = fits()
      transaction.rollback(mark)
      return after
    }

    const blockers: Blocker[] = []
    for (const { nodes, blocker } of causes) if (fitsAfter(() => this.open(nodes))) blockers.push(blocker)
    const kept = this.keptFrom(entry)
    const lift = (promises: readonly Promised[]) => {
      for (const promised of promises) pass.promises.lift(promised, entry)
    }
    const keeping = fewest(kept, (promises) => fitsAfter(() => lift(promises)))
    if (keeping) blockers.push(keptBlocker(keeping, this.now))
    const planned = pass.granted.map(({ occupant }) => occupant)
    const takeBack = () => {
      lift(kept)
      for (const occupant of planned) transaction.vacate(occupant)
    }
    if (blockers.length === 0 && planned.length > 0 && fitsAfter(takeBack)) blockers.push(outranked(planned))
    const closed = this.closedNodes(request)
    const isHealth = closed.length > 0 && fitsAfter(() => this.openWholly(closed))

    takeBack()
    for (const { nodes } of causes) this.open(nodes)
    if (fits()) {
      if (blockers.length === 0) {
        blockers.push(...causes.map(({ blocker }) => blocker))
        if (kept.length > 0) blockers.push(keptBlocker(kept, this.now))
        if (planned.length > 0) blockers.push(outranked(planned))
      }
    } else {
      blockers.push(shortage(fleet, machine.live.values(), request, minDepth, this.now))
    }
    if (isHealth || (closed.length > 0 && this.fitsOnlyWith(closed, fits)))
      blockers.push(this.unready(closed))
    return blockers
  }

  private fitsOnlyWith(closed: readonly number[], fits: () => boolean): boolean {
    if (fits()) return false
    this.openWholly(closed)
    return fits()
  }

  /** Nodes that are free and yet not for it, with what is said of them. */
  private causes(entry: Entry, request: RequestClass): { nodes: readonly number[]; blocker: Blocker }[] {
    const { closed } = this.pass
    const apart = apartAlways(this.machine.fleet, entry.gang, request)
    const unasked = notAskedFor(this.machine.fleet.tree, entry.gang)
    const others = closed.ofOthers(entry, request.options[0]!.gpuMilli)
    const causes: { nodes: readonly number[]; blocker: Blocker }[] = []
    if (apart.length > 0)
      causes.push({
        nodes: apart,
        blocker: sharesDomain(request.request.spread!),
      })
    if (unasked.length > 0) causes.push({ nodes: unasked, blocker: askedForOthers(entry.gang) })
    if (others.length > 0)
      causes.push({
        nodes: others,
        blocker: {
          kind: 'quota',
          message:
            'There is room now, but in whole domains that are guaranteed to other queues, which could not get it back from this gang.',
          holders: [],
        },
      })
    const { tree } = this.machine.fleet
    for (const { node, until } of entry.gang.avoid) {
      const n = tree.nodeIndex.get(node)
      if (n === undefined || until <= this.now) continue
      causes.push({
        nodes: [n],
        blocker: {
          kind: 'health',
          message: `It avoids node ${node}, where it failed, for another ${formatDuration(until - this.now)}.`,
          holders: [],
          earliestEndAt: until,
        },
      })
    }
    return causes
  }

  /** Promises to others that bind it. */
  private keptFrom(entry: Entry): Promised[] {
    return this.pass.promises.list.filter(
      (promised) =>
        promised.entry !== entry && !(promised.reservation && !binds(promised.reservation, entry, this.now)),
    )
  }

  private open(nodes: readonly number[]): void {
    for (const node of nodes) this.transaction.open(node)
  }

  private openWholly(nodes: readonly number[]): void {
    const { closed } = this.machine.fleet.capacity
    for (const node of nodes) while (closed[node]! > 0) this.transaction.open(node)
  }

  private unready(closed: readonly number[]): Blocker {
    const { tree } = this.machine.fleet
    return {
      kind: 'health',
      message: `It would fit if all nodes were ready; ${closed.length} of the right kind ${are(closed.length)} not: ${listed(closed.map((n) => tree.nodeIds[n]!))}.`,
      needed: closed.length,
      available: 0,
      unit: 'nodes',
      holders: [],
    }
  }

  private closedNodes(request: RequestClass): number[] {
    const { tree, nodes, capacity } = this.machine.fleet
    const classes = new Set(request.options.map(({ nodeClass }) => nodeClass))
    const found: number[] = []
    for (let n = 0; n < tree.nodeCount; n++) {
      if (capacity.closed[n] === 0 || !classes.has(tree.nodeClass[n]!)) continue
      if (nodes.get(tree.nodeIds[n]!)?.state !== 'ready') found.push(n)
    }
    return found
  }
}

function outranked(planned: readonly Occupant[]): Blocker {
  return {
    kind: 'priority',
    message: `There is room now, but ${workloads(planned.length)} ahead of it ${planned.length === 1 ? 'takes' : 'take'} it.`,
    holders: named(planned),
  }
}
