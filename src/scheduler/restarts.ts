import { compareIds } from '../base/index.ts'
import { candidatesAmong, type EvictionContext, holdFor } from './eviction-context.ts'
import { type Footprint, footprintGpuMilli, WHOLE_GPU } from './footprint.ts'
import type { Occupant } from './holding.ts'
import { place } from './placement.ts'
import type { Eviction } from './plan.ts'
import { type QuotaBlock, withinLimits } from './quota.ts'
import { largestFit, requestSize, resized, widestDepth } from './request-class.ts'
import { type Candidate, lossOf } from './victims.ts'

/** What a victim that is moved will hold: as much as before, or as much as an elastic gang still can. */
export function placeAgain(context: EvictionContext, occupant: Occupant): Occupant | undefined {
  const { request } = occupant.gang
  const size = sizeOf(occupant)
  const footprint =
    placeSized(context, occupant, size) ??
    (request.elastic &&
      largestFit(request, request.elastic.min, size - 1, (smaller) =>
        placeSized(context, occupant, requestSize(smaller)),
      ))
  return footprint && startAgain(context, occupant, footprint)
}

/** The same at the size that it has. */
export function placeWhole(context: EvictionContext, occupant: Occupant): Occupant | undefined {
  const footprint = placeSized(context, occupant, sizeOf(occupant))
  return footprint && startAgain(context, occupant, footprint)
}

/** The same at the smallest size of an elastic gang. */
export function placeLeast(context: EvictionContext, occupant: Occupant): Occupant | undefined {
  const footprint = placeSized(context, occupant, occupant.gang.request.elastic!.min)
  return footprint && startAgain(context, occupant, footprint)
}

function startAgain(
  { machine, transaction, now }: EvictionContext,
  { gang }: Occupant,
  footprint: Footprint,
): Occupant {
  const after = machine.occupant(gang, footprint, now, undefined)
  transaction.occupy(after)
  return after
}

/** Puts the end of an attempt on the plan, and what it starts again with, if it does, as a hold. */
export function planRestart(
  context: EvictionContext,
  before: Occupant,
  after: Occupant | undefined,
  eviction: Pick<Eviction, 'for' | 'kind'>,
): void {
  const { machine, holds, evictions, restarted } = context
  if (after) {
    holds.push(holdFor(context, after, after.footprint))
    restarted.push({ before, after })
  }
  const from = sizeOf(before)
  const to = after && sizeOf(after)
  evictions.push({
    attempt: before.attempt!,
    ...eviction,
    graceMs: machine.policy.evictionGraceMs,
    ...(to !== undefined && to !== from && { resize: { from, to } }),
  })
}

/** A limit may have been lowered below what runs; it could not start again then. */
const isLimit = ({ kind }: QuotaBlock) => kind.endsWith('-limit')

/** Where what has been taken from the machine fits at this size, if no limit that counts is in the way. */
function placeSized(
  context: EvictionContext,
  occupant: Occupant,
  size: number,
  counts = isLimit,
): Footprint | undefined {
  const { request } = occupant.gang
  const { machine, transaction } = context
  const sized = machine.fleet.classOf(request.elastic ? resized(request, size) : request)
  if (sized.impossible !== undefined) return undefined
  const allowed = withinLimits(machine, occupant, sized, context.now, counts)
  if (!allowed) return undefined
  const mark = transaction.mark()
  for (const node of context.closedTo(occupant, allowed.options[0]!.gpuMilli)) transaction.close(node)
  const footprint = place(machine.fleet.capacity, allowed, widestDepth(allowed))
  transaction.rollback(mark)
  return footprint
}

/** Work on draining nodes that may be ended starts again elsewhere, where there is room for it. */
export function clearDraining(context: EvictionContext): void {
  const { machine } = context
  const { onNode, tree, draining } = machine.fleet
  if (draining.size === 0) return
  const there = new Set<Occupant>()
  for (const node of draining) {
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

/** Where nobody lacks room, an elastic gang starts again larger if that gains more than it loses. */
export function growElastic(context: EvictionContext): void {
  const { machine, now } = context
  const { minimumRunMs, growAfterMs, evictionGraceMs } = machine.policy
  if (machine.elasticCount === 0) return
  const elastic = [...machine.live.values()].filter(
    (occupant) => occupant.gang.request.elastic && sizeOf(occupant) < occupant.gang.request.elastic.max,
  )
  const mayGrowAt = ({ startedAt }: Occupant) => startedAt + Math.max(minimumRunMs, growAfterMs)
  const grown = candidatesAmong(
    context,
    elastic,
    (occupant) => {
      context.wakeAt(mayGrowAt(occupant))
      return mayGrowAt(occupant) <= now
    },
    (occupant) => lossOf(occupant, now) + (occupant.gpuMilli / 1000) * evictionGraceMs,
  ).sort(byAttempt)
  for (const { occupant, loss } of grown) {
    restart(context, occupant, () => {
      const { request } = occupant.gang
      const footprint = largestFit(request, sizeOf(occupant) + 1, request.elastic!.max, (larger) =>
        placeSized(context, occupant, requestSize(larger), () => true),
      )
      if (!footprint) return undefined
      const gained = footprintGpuMilli(footprint) - occupant.gpuMilli
      if (loss <= (gained / 1000) * Math.max(0, occupant.endsAt - now))
        return startAgain(context, occupant, footprint)
      // It may have saved its work by then.
      context.wakeAt(now + growAfterMs)
      return undefined
    })
  }
}

/** Ends an attempt for its own workload's sake: the next one has its place before this one is told to go. */
function restart(context: EvictionContext, occupant: Occupant, findPlace: () => Occupant | undefined): void {
  const { transaction } = context
  const mark = transaction.mark()
  transaction.vacate(occupant)
  context.evicted.push(occupant)
  const after = findPlace()
  if (after) {
    planRestart(context, occupant, after, { for: occupant.gang.workload, kind: 'consolidate' })
    return
  }
  context.evicted.pop()
  transaction.rollback(mark)
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
