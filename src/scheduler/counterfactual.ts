import type { TimeMs } from '../base/index.ts'
import { compareIds, formatDuration } from '../base/index.ts'
import type { ResourceRequest } from '../model/index.ts'
import { gpus, nodes, workloads } from './amounts.ts'
import { earliestPlace } from './earliest.ts'
import type { Counterfactual } from './explanation.ts'
import type { Pass } from './pass.ts'
import { withinLimits } from './quota.ts'
import { largestFit, type RequestClass, requestSize, smallest } from './request-class.ts'
import type { Trial } from './trial.ts'
import { Candidates, lossOf, victimSets } from './victims.ts'
import type { Entry } from './waiting.ts'
import { binds } from './windows.ts'

/** A counterfactual and, where it says that the gang starts now, the change that a pass has to prove it with. */
export interface Offer {
  readonly said: Counterfactual
  readonly trial?: Trial
}

/**
 * Changes that would let the gang start, or start at a time, on what the pass left free. Others may have their turns before
 * it once the change is made, so that what is said to start now is still to be proved. The pass keeps nothing for the gang
 * afterwards.
 */
export function offers(pass: Pass, entry: Entry, request: RequestClass): Offer[] {
  const mark = pass.transaction.mark()
  const own = pass.promises.of(entry)
  if (own) {
    pass.transaction.vacate(own.occupant)
    pass.promises.forget(own)
  }
  const found = tryChanges(pass, entry, request)
  pass.transaction.rollback(mark)
  return found
}

function tryChanges(pass: Pass, entry: Entry, request: RequestClass): Offer[] {
  const found = [...smaller(pass, entry)]
  if (request.withinRequired) found.push(...widerLevels(pass, entry, request))
  found.push(...otherGpus(pass, entry, request))
  if (request.impossible !== undefined) return found
  found.push(...sharing(pass, entry, request))
  found.push(...otherQueues(pass, entry, request))
  found.push(...shorterLimit(pass, entry, request))
  found.push(...withoutWindows(pass, entry, request))
  found.push(...withoutLowerPriority(pass, entry, request))
  return found
}

/** Whether it would start beside another replica. */
function sharing(pass: Pass, entry: Entry, request: RequestClass): Offer[] {
  const { spread } = request.request
  if (spread?.mode !== 'required') return []
  const changed = asking(entry, { ...entry.gang.request, spread: { ...spread, mode: 'preferred' } })
  if (!startsNow(pass, changed)) return []
  const message = `With spread over ${spread.level} preferred instead of required it starts now.`
  return [atOnce({ kind: 'preferred-spread' }, message, { gang: changed.gang })]
}

/** Queues in which the same user has run before, where its own queue's limits are in the way. */
function otherQueues(pass: Pass, entry: Entry, request: RequestClass): Offer[] {
  const { machine } = pass
  if (withinLimits(machine, entry, request, pass.now)) return []
  const found: Offer[] = []
  for (const record of machine.queues.records.values()) {
    const user = record.users.get(entry.gang.user)
    if (record === entry.queue || !user) continue
    const queue = record.queue.id
    const gang = { ...entry.gang, queue }
    if (!pass.wouldStart({ ...entry, queue: record, user, gang }, request)) continue
    found.push(atOnce({ kind: 'other-queue', queue }, `In queue ${queue} it starts now.`, { gang }))
  }
  return found.sort(byMessage)
}

/** The cheapest gangs of lower priority whose end makes room, whatever the policy allows; for a person to weigh. */
function withoutLowerPriority(pass: Pass, entry: Entry, request: RequestClass): Offer[] {
  const { machine, transaction } = pass
  const minDepth = request.withinRequired ? request.withinDepth! : 0
  const candidates = [...machine.live.values()]
    .filter(({ gang, stopping }) => gang.preemptible && !stopping && gang.priority < entry.gang.priority)
    .filter((occupant) => !pass.evicted.includes(occupant))
    .map((occupant) => ({ occupant, loss: lossOf(occupant, pass.now) }))
  for (const { victims } of victimSets(machine.fleet, request, new Candidates(candidates), minDepth)) {
    if (victims.length === 0) continue
    const mark = transaction.mark()
    for (const { occupant } of victims) transaction.vacate(occupant)
    const starts = pass.wouldStart(entry, request)
    transaction.rollback(mark)
    if (!starts) continue
    const evicted = victims.map(({ occupant }) => occupant.gang.workload).sort(compareIds)
    const message = `If ${workloads(evicted.length)} of lower priority made room it would start after their grace.`
    return [
      later(
        { kind: 'evict-lower-priority', workloads: evicted },
        message,
        pass.now + machine.policy.evictionGraceMs,
      ),
    ]
  }
  return []
}

function smaller(pass: Pass, entry: Entry): Offer[] {
  const { request } = entry.gang
  const least = requestSize(smallest(request))
  const changed = largestFit(request, 1, least - 1, (resized) => {
    const candidate = asking(entry, resized)
    return startsNow(pass, candidate) ? candidate : undefined
  })
  if (!changed) return []
  const size = requestSize(changed.gang.request)
  const isNodes = request.shape.kind === 'nodes'
  const message = `With ${isNodes ? nodes(size) : gpus(size * 1000)} instead of ${least} it starts now.`
  const change = isNodes
    ? ({ kind: 'fewer-nodes', nodes: size } as const)
    : ({ kind: 'fewer-gpus', gpus: size } as const)
  return [atOnce(change, message, { gang: changed.gang })]
}

function widerLevels(pass: Pass, entry: Entry, request: RequestClass): Offer[] {
  const { tree } = pass.machine.fleet
  for (let depth = request.withinDepth! - 1; depth >= 0; depth--) {
    const { within, ...rest } = entry.gang.request
    const level = tree.levels[depth - 1]
    const wider = level === undefined ? rest : { ...rest, within: { ...within!, level } }
    const changed = asking(entry, wider)
    if (!startsNow(pass, changed)) continue
    const change =
      level === undefined ? ({ kind: 'any-level' } as const) : ({ kind: 'wider-level', level } as const)
    const message = `${level === undefined ? 'Without a bound' : `Within one ${level}`} instead of one ${within!.level} it starts now.`
    return [atOnce(change, message, { gang: changed.gang })]
  }
  return []
}

/** The other GPU models of the cluster: where it starts now, or could once what runs there has ended. */
function otherGpus(pass: Pass, entry: Entry, request: RequestClass): Offer[] {
  const { machine } = pass
  if (!entry.gang.request.gpu) return []
  const { classes } = machine.fleet.tree
  const have = new Set(request.options.map(({ nodeClass }) => classes[nodeClass]!.gpuModel))
  const others = [...new Set(classes.map(({ gpuModel }) => gpuModel))].filter((model) => !have.has(model))
  return others.flatMap((model): Offer[] => {
    const change = { kind: 'other-gpu', model } as const
    const changed = asking(entry, { ...entry.gang.request, gpu: { models: [model] } })
    if (startsNow(pass, changed))
      return [atOnce(change, `On ${model} it starts now.`, { gang: changed.gang })]
    const compiled = machine.fleet.classOf(smallest(changed.gang.request))
    if (compiled.impossible !== undefined) return []
    const allowed = withinLimits(machine, entry, compiled, pass.now)
    if (!allowed) return []
    const depth = compiled.withinRequired ? compiled.withinDepth! : 0
    const at = earliestPlace(machine.fleet, allowed, depth, pass.now)?.at
    // What fits and yet does not start is kept for others, and nothing says for how long.
    if (at === undefined || at <= pass.now || at === Number.POSITIVE_INFINITY) return []
    return [later(change, `On ${model} it could start in ${formatDuration(at - pass.now)}.`, at)]
  })
}

/** The longest time limit with which it would have ended before what is kept for others is due. */
function shorterLimit(pass: Pass, entry: Entry, request: RequestClass): Offer[] {
  const limits = [...new Set(pass.promises.list.map(({ at }) => at - pass.now))].filter(
    (limitMs) => limitMs > 0 && limitMs < (entry.gang.limitMs ?? Number.POSITIVE_INFINITY),
  )
  for (const limitMs of limits.sort((a, b) => b - a)) {
    const gang = { ...entry.gang, limitMs }
    if (!pass.wouldStart({ ...entry, gang }, request)) continue
    const message = `With a time limit of ${formatDuration(limitMs)} or less it starts now, before what is kept for others is due.`
    return [atOnce({ kind: 'shorter-limit', limitMs }, message, { gang })]
  }
  return []
}

/** Calendar windows that bind the gang and without which it would start; for whoever may cancel or move them. */
function withoutWindows(pass: Pass, entry: Entry, request: RequestClass): Offer[] {
  const found: Offer[] = []
  for (const promised of pass.promises.list) {
    const { reservation } = promised
    if (!reservation || !binds(reservation, entry, pass.now)) continue
    if (!pass.promises.lookWithout(promised, () => pass.wouldStart(entry, request))) continue
    const message = `Without ${reservation.kind === 'maintenance' ? 'the maintenance window' : 'the reservation'} ${reservation.id} it starts now.`
    const change = { kind: 'without-reservation', reservation: reservation.id } as const
    found.push(atOnce(change, message, { without: reservation }))
  }
  return found.sort(byMessage)
}

/** The gang as if it had asked for this. */
function asking(entry: Entry, request: ResourceRequest): Entry {
  return { ...entry, gang: { ...entry.gang, request } }
}

function startsNow(pass: Pass, changed: Entry): boolean {
  return pass.wouldStart(changed, pass.machine.fleet.classOf(smallest(changed.gang.request)))
}

function atOnce(change: Counterfactual['change'], message: string, trial: Trial): Offer {
  return { said: { change, message, startsNow: true }, trial }
}

function later(change: Counterfactual['change'], message: string, startsAt: TimeMs): Offer {
  return { said: { change, message, startsNow: false, startsAt } }
}

function byMessage(a: Offer, b: Offer): number {
  return compareIds(a.said.message, b.said.message)
}
