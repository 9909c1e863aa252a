import { compareIds, formatDuration } from '../base/index.ts'
import type { ResourceRequest } from '../model/index.ts'
import { earliestPlace } from './earliest.ts'
import type { Counterfactual } from './explanation.ts'
import type { Pass } from './pass.ts'
import { place } from './placement.ts'
import { quotaBlocks } from './quota.ts'
import { largestFit, type RequestClass, requestSize, smallest } from './request-class.ts'
import { apartAlways } from './spread.ts'
import { Candidates, lossOf, victimSets } from './victims.ts'
import type { Entry } from './waiting.ts'
import { binds } from './windows.ts'

/** Changes of the request that were tried on what the pass left free, each with when it would start. */
export function counterfactuals(pass: Pass, entry: Entry, request: RequestClass): Counterfactual[] {
  if (entry.gang.waitsFor.length > 0) return []
  const mark = pass.transaction.mark()
  const own = pass.promises.of(entry)
  if (own) pass.transaction.vacate(own.occupant)
  pass.promises.keepOut(entry)
  const apart = apartAlways(pass.machine.fleet, entry.gang, request)
  for (const node of apart) pass.transaction.close(node)
  const found = tryChanges(pass, entry, request, apart)
  pass.transaction.rollback(mark)
  return found
}

function tryChanges(
  pass: Pass,
  entry: Entry,
  request: RequestClass,
  apart: readonly number[],
): Counterfactual[] {
  const found: Counterfactual[] = []
  const { gang } = entry
  const smaller = largestThatStarts(pass, entry)
  if (smaller !== undefined) {
    const isNodes = gang.request.shape.kind === 'nodes'
    found.push({
      change: isNodes ? { kind: 'fewer-nodes', nodes: smaller } : { kind: 'fewer-gpus', gpus: smaller },
      message: `With ${smaller} ${isNodes ? 'nodes' : 'GPUs'} instead of ${requestSize(gang.request)} it starts now.`,
      startsNow: true,
    })
  }
  if (request.withinRequired) found.push(...widerLevels(pass, entry, request))
  found.push(...otherGpus(pass, entry, request))
  if (request.impossible !== undefined) return found
  if (sharing(pass, entry, request, apart))
    found.push({
      change: { kind: 'preferred-spread' },
      message: `With spread over ${request.request.spread!.level} preferred instead of required it starts now.`,
      startsNow: true,
    })
  found.push(...otherQueues(pass, entry, request))
  const shorter = shorterLimit(pass, entry, request)
  if (shorter) found.push(shorter)
  found.push(...withoutWindows(pass, entry, request))
  const evicting = withoutLowerPriority(pass, entry, request)
  if (evicting) found.push(evicting)
  return found
}

/** Whether it would start beside another replica. */
function sharing(pass: Pass, entry: Entry, request: RequestClass, apart: readonly number[]): boolean {
  if (apart.length === 0) return false
  const mark = pass.transaction.mark()
  for (const node of apart) pass.transaction.open(node)
  const starts = startsNow(pass, entry, request.request)
  pass.transaction.rollback(mark)
  return starts
}

/** Queues in which the same user has run before, where its own queue's limits are in the way. */
function otherQueues(pass: Pass, entry: Entry, request: RequestClass): Counterfactual[] {
  const { machine, now } = pass
  const { gpuMilli } = request.options[0]!
  if (quotaBlocks(machine, entry, gpuMilli, now).length === 0) return []
  if (!place(machine.fleet.capacity, request, request.withinRequired ? request.withinDepth! : 0)) return []
  const found: Counterfactual[] = []
  for (const record of machine.queues.records.values()) {
    const user = record.users.get(entry.gang.user)
    if (record === entry.queue || !user) continue
    if (quotaBlocks(machine, { gang: entry.gang, user }, gpuMilli, now).length > 0) continue
    const queue = record.queue.id
    found.push({
      change: { kind: 'other-queue', queue },
      message: `In queue ${queue} it starts now.`,
      startsNow: true,
    })
  }
  return found.sort((a, b) => compareIds(a.message, b.message))
}

/** The cheapest gangs of lower priority whose end makes room, whatever the policy allows; for a person to weigh. */
function withoutLowerPriority(pass: Pass, entry: Entry, request: RequestClass): Counterfactual | undefined {
  const { machine, transaction, now } = pass
  const minDepth = request.withinRequired ? request.withinDepth! : 0
  const candidates = [...machine.live.values()]
    .filter(({ gang, stopping }) => gang.preemptible && !stopping && gang.priority < entry.gang.priority)
    .map((occupant) => ({ occupant, loss: lossOf(occupant, now) }))
  for (const { victims } of victimSets(machine.fleet, request, new Candidates(candidates), minDepth)) {
    const mark = transaction.mark()
    for (const { occupant } of victims) transaction.vacate(occupant)
    const fits = place(machine.fleet.capacity, request, minDepth) !== undefined
    transaction.rollback(mark)
    if (!fits) continue
    const workloads = victims.map(({ occupant }) => occupant.gang.workload).sort(compareIds)
    return {
      change: { kind: 'evict-lower-priority', workloads },
      message: `If ${workloads.length} ${workloads.length === 1 ? 'workload' : 'workloads'} of lower priority made room it would start after their grace.`,
      startsNow: false,
      startsAt: now + machine.policy.evictionGraceMs,
    }
  }
  return undefined
}

function largestThatStarts(pass: Pass, entry: Entry): number | undefined {
  const { request } = entry.gang
  return largestFit(request, 1, requestSize(smallest(request)) - 1, (changed) =>
    startsNow(pass, entry, changed) ? requestSize(changed) : undefined,
  )
}

function widerLevels(pass: Pass, entry: Entry, request: RequestClass): Counterfactual[] {
  const { tree } = pass.machine.fleet
  for (let depth = request.withinDepth! - 1; depth >= 0; depth--) {
    const { within, ...rest } = entry.gang.request
    const level = tree.levels[depth - 1]
    const wider = level === undefined ? rest : { ...rest, within: { ...within!, level } }
    if (!startsNow(pass, entry, wider)) continue
    return [
      {
        change: level === undefined ? { kind: 'any-level' } : { kind: 'wider-level', level },
        message: `${level === undefined ? 'Without a bound' : `Within one ${level}`} instead of one ${within!.level} it starts now.`,
        startsNow: true,
      },
    ]
  }
  return []
}

function otherGpus(pass: Pass, entry: Entry, request: RequestClass): Counterfactual[] {
  const { machine, now } = pass
  if (!entry.gang.request.gpu) return []
  const have = new Set(
    request.options.map(({ nodeClass }) => machine.fleet.tree.classes[nodeClass]!.gpuModel),
  )
  const others = [...new Set(machine.fleet.tree.classes.map(({ gpuModel }) => gpuModel))].filter(
    (model) => !have.has(model),
  )
  return others.flatMap((model): Counterfactual[] => {
    const changed = { ...entry.gang.request, gpu: { models: [model] } }
    if (startsNow(pass, entry, changed))
      return [
        { change: { kind: 'other-gpu', model }, message: `On ${model} it starts now.`, startsNow: true },
      ]
    const compiled = machine.fleet.classOf(changed)
    if (compiled.impossible !== undefined) return []
    const at = earliestPlace(
      machine.fleet,
      compiled,
      compiled.withinRequired ? compiled.withinDepth! : 0,
      now,
    )?.at
    if (at === undefined) return []
    return [
      {
        change: { kind: 'other-gpu', model },
        message: `On ${model} it could start in ${formatDuration(at - now)}.`,
        startsNow: false,
        startsAt: at,
      },
    ]
  })
}

function shorterLimit(pass: Pass, entry: Entry, request: RequestClass): Counterfactual | undefined {
  const { promises, transaction, machine, now } = pass
  const before = promises.list.filter((promised) => promised.entry !== entry)
  if (before.length === 0) return undefined
  const mark = transaction.mark()
  let limitMs: number | undefined
  for (const promised of before.sort((a, b) => b.at - a.at)) {
    promises.lift(promised, entry)
    limitMs = promised.at - now
    if (place(machine.fleet.capacity, request, request.withinRequired ? request.withinDepth! : 0)) break
    limitMs = undefined
  }
  transaction.rollback(mark)
  if (limitMs === undefined || limitMs <= 0 || (entry.gang.limitMs ?? Infinity) <= limitMs) return undefined
  return {
    change: { kind: 'shorter-limit', limitMs },
    message: `With a time limit of ${formatDuration(limitMs)} or less it starts now, before what is kept for others is due.`,
    startsNow: true,
  }
}

/** Calendar windows that bind the gang and without which it would start; for whoever may cancel or move them. */
function withoutWindows(pass: Pass, entry: Entry, request: RequestClass): Counterfactual[] {
  const { promises, transaction, machine, now } = pass
  if (quotaBlocks(machine, entry, request.options[0]!.gpuMilli, now).length > 0) return []
  const found: Counterfactual[] = []
  for (const promised of promises.list) {
    const { reservation } = promised
    if (!reservation || !binds(reservation, entry, now)) continue
    const mark = transaction.mark()
    promises.lift(promised, entry)
    const fits = place(machine.fleet.capacity, request, request.withinRequired ? request.withinDepth! : 0)
    transaction.rollback(mark)
    if (!fits) continue
    found.push({
      change: { kind: 'without-reservation', reservation: reservation.id },
      message: `Without ${reservation.kind === 'maintenance' ? 'the maintenance window' : 'the reservation'} ${reservation.id} it starts now.`,
      startsNow: true,
    })
  }
  return found.sort((a, b) => compareIds(a.message, b.message))
}

function startsNow(pass: Pass, entry: Entry, request: ResourceRequest): boolean {
  const { machine } = pass
  const compiled = machine.fleet.classOf(request)
  if (compiled.impossible !== undefined) return false
  if (quotaBlocks(machine, entry, compiled.options[0]!.gpuMilli, pass.now).length > 0) return false
  return (
    place(machine.fleet.capacity, compiled, compiled.withinRequired ? compiled.withinDepth! : 0) !== undefined
  )
}
