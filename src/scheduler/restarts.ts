import { compareIds } from '../base/index.ts'
import { candidatesAmong, type EvictionContext, hasRunEnough, holdFor } from './eviction-context.ts'
import { type Footprint, footprintGpuMilli, WHOLE_GPU } from './footprint.ts'
import type { Occupant } from './holding.ts'
import { place } from './placement.ts'
import { largestFit, requestSize, resized } from './request-class.ts'
import { type Candidate, lossOf } from './victims.ts'

/** A place for a victim that is moved: as large as before, or as large as an elastic gang still can be. */
export function placeAgain(context: EvictionContext, occupant: Occupant): Footprint | undefined {
  const { transaction, machine, now } = context
  const { request } = occupant.gang
  const size = sizeOf(occupant)
  const footprint =
    placeSized(context, occupant, size) ??
    (request.elastic &&
      largestFit(request, request.elastic.min, size - 1, (smaller) =>
        placeSized(context, occupant, requestSize(smaller)),
      ))
  if (footprint) transaction.occupy(machine.occupant(occupant.gang, footprint, now, undefined))
  return footprint
}

function placeSized(context: EvictionContext, occupant: Occupant, size: number): Footprint | undefined {
  const { request, avoid } = occupant.gang
  const { machine, now, transaction } = context
  const sized = machine.fleet.classOf(request.elastic ? resized(request, size) : request)
  const mark = transaction.mark()
  for (const node of context.closedTo(occupant)) transaction.close(node)
  for (const { node, until } of avoid) {
    const n = machine.fleet.tree.nodeIndex.get(node)
    if (n !== undefined && until > now) transaction.close(n)
  }
  const footprint = place(machine.fleet.capacity, sized, sized.withinRequired ? sized.withinDepth! : 0)
  transaction.rollback(mark)
  return footprint
}

/** Work on draining nodes that may be ended starts again elsewhere, where there is room for it. */
export function clearDraining(context: EvictionContext): void {
  const { machine } = context
  const { onNode, tree } = machine.fleet
  const there = new Set<Occupant>()
  for (const node of machine.fleet.draining) {
    for (const occupant of onNode[tree.nodeIndex.get(node)!]!)
      if (occupant.attempt !== undefined) there.add(occupant)
  }
  for (const { occupant } of candidatesAmong(
    context,
    there,
    () => true,
    () => 0,
  ).sort(byAttempt))
    restart(context, occupant, () => placeAgain(context, occupant))
}

/** With nobody waiting, an elastic gang starts again larger where that gains more than it loses. */
export function growElastic(context: EvictionContext): void {
  const { machine, transaction, now } = context
  if (machine.waiting.bands.length > 0) return
  const elastic = [...machine.live.values()].filter(({ gang }) => gang.request.elastic !== undefined)
  const grown = candidatesAmong(
    context,
    elastic,
    (occupant) => sizeOf(occupant) < occupant.gang.request.elastic!.max && hasRunEnough(context, occupant),
    (occupant) => lossOf(occupant, now),
  ).sort(byAttempt)
  for (const { occupant, loss } of grown) {
    restart(context, occupant, () => {
      const { request } = occupant.gang
      const footprint = largestFit(request, sizeOf(occupant) + 1, request.elastic!.max, (larger) =>
        placeSized(context, occupant, requestSize(larger)),
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
function restart(context: EvictionContext, occupant: Occupant, findPlace: () => Footprint | undefined): void {
  const { transaction, machine, holds, evictions } = context
  const mark = transaction.mark()
  transaction.vacate(occupant)
  context.evicted.push(occupant)
  const footprint = findPlace()
  if (!footprint) {
    context.evicted.pop()
    transaction.rollback(mark)
    return
  }
  const { workload, replica } = occupant.gang
  holds.push(holdFor(context, workload, replica, footprint))
  evictions.push({
    attempt: occupant.attempt!,
    for: workload,
    kind: 'consolidate',
    graceMs: machine.policy.evictionGraceMs,
  })
}

export function canShrink(occupant: Occupant): boolean {
  const { elastic } = occupant.gang.request
  return elastic !== undefined && sizeOf(occupant) > elastic.min
}

/** Nodes or GPUs that it runs on, in the unit of its shape. */
function sizeOf({ gang, footprint, gpuMilli }: Occupant): number {
  return gang.request.shape.kind === 'nodes' ? footprint.nodes.length : gpuMilli / WHOLE_GPU
}

function byAttempt(a: Candidate, b: Candidate): number {
  return compareIds(a.occupant.attempt!, b.occupant.attempt!)
}
