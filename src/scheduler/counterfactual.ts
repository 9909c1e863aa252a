import { compareIds, formatDuration } from '../base/index.ts'
import type { ResourceRequest } from '../model/index.ts'
import { gpus, nodes, workloads } from './amounts.ts'
import { earliestPlace } from './earliest.ts'
import type { Counterfactual } from './explanation.ts'
import type { Pass } from './pass.ts'
import { quotaBlocks } from './quota.ts'
import { largestFit, type RequestClass, requestSize, smallest } from './request-class.ts'
import { Candidates, lossOf, victimSets } from './victims.ts'
import type { Entry } from './waiting.ts'
import { binds } from './windows.ts'

/**
 * Changes of the request that were tried on what the pass left free, each with when it would start. The pass keeps nothing
 * for the gang afterwards.
 */
export function counterfactuals(pass: Pass, entry: Entry, request: RequestClass): Counterfactual[] {
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

function tryChanges(pass: Pass, entry: Entry, request: RequestClass): Counterfactual[] {
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
function sharing(pass: Pass, entry: Entry, request: RequestClass): Counterfactual[] {
  const { spread } = request.request
  if (spread?.mode !== 'required') return []
  if (!startsNow(pass, entry, { ...entry.gang.request, spread: { ...spread, mode: 'preferred' } })) return []
  return [
    {
      change: { kind: 'preferred-spread' },
      message: `With spread over ${spread.level} preferred instead of required it starts now.`,
      startsNow: true,
    },
  ]
}

/** Queues in which the same user has run before, where its own queue's limits are in the way. */
function otherQueues(pass: Pass, entry: Entry, request: RequestClass): Counterfactual[] {
  const { machine, now } = pass
  if (quotaBlocks(machine, entry, request.options[0]!.gpuMilli, now).length === 0) return []
  const found: Counterfactual[] = []
  for (const record of machine.queues.records.values()) {
    const user = record.users.get(entry.gang.user)
    if (record === entry.queue || !user) continue
    const queue = record.queue.id
    if (!pass.wouldStart({ ...entry, queue: record, user, gang: { ...entry.gang, queue } }, request)) continue
    found.push({
      change: { kind: 'other-queue', queue },
      message: `In queue ${queue} it starts now.`,
      startsNow: true,
    })
  }
  return found.sort((a, b) => compareIds(a.message, b.message))
}

/** The cheapest gangs of lower priority whose end makes room, whatever the policy allows; for a person to weigh. */
function withoutLowerPriority(pass: Pass, entry: Entry, request: RequestClass): Counterfactual[] {
  const { machine, transaction, now } = pass
  const minDepth = request.withinRequired ? request.withinDepth! : 0
  const candidates = [...machine.live.values()]
    .filter(({ gang, stopping }) => gang.preemptible && !stopping && gang.priority < entry.gang.priority)
    .map((occupant) => ({ occupant, loss: lossOf(occupant, now) }))
  for (const { victims } of victimSets(machine.fleet, request, new Candidates(candidates), minDepth)) {
    if (victims.length === 0) continue
    const mark = transaction.mark()
    for (const { occupant } of victims) transaction.vacate(occupant)
    const starts = pass.wouldStart(entry, request)
    transaction.rollback(mark)
    if (!starts) continue
    const evicted = victims.map(({ occupant }) => occupant.gang.workload).sort(compareIds)
    return [
      {
        change: { kind: 'evict-lower-priority', workloads: evicted },
        message: `If ${workloads(evicted.length)} of lower priority made room it would start after their grace.`,
        startsNow: false,
        startsAt: now + machine.policy.evictionGraceMs,
      },
    ]
  }
  return []
}

function smaller(pass: Pass, entry: Entry): Counterfactual[] {
  const { request } = entry.gang
  const size = largestFit(request, 1, requestSize(smallest(request)) - 1, (changed) =>
    startsNow(pass, entry, changed) ? requestSize(changed) : undefined,
  )
  if (size === undefined) return []
  const isNodes = request.shape.kind === 'nodes'
  const words = isNodes ? nodes(size) : gpus(size * 1000)
  return [
    {
      change: isNodes ? { kind: 'fewer-nodes', nodes: size } : { kind: 'fewer-gpus', gpus: size },
      message: `With ${words} instead of ${requestSize(smallest(request))} it starts now.`,
      startsNow: true,
    },
  ]
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

/** The other GPU models of the cluster: where it starts now, or could once what runs there has ended. */
function otherGpus(pass: Pass, entry: Entry, request: RequestClass): Counterfactual[] {
  const { machine, now } = pass
  if (!entry.gang.request.gpu) return []
  const { classes } = machine.fleet.tree
  const have = new Set(request.options.map(({ nodeClass }) => classes[nodeClass]!.gpuModel))
  const others = [...new Set(classes.map(({ gpuModel }) => gpuModel))].filter((model) => !have.has(model))
  return others.flatMap((model): Counterfactual[] => {
    const change = { kind: 'other-gpu', model } as const
    const changed = { ...entry.gang.request, gpu: { models: [model] } }
    if (startsNow(pass, entry, changed))
      return [{ change, message: `On ${model} it starts now.`, startsNow: true }]
    const compiled = machine.fleet.classOf(smallest(changed))
    if (compiled.impossible !== undefined) return []
    if (quotaBlocks(machine, entry, compiled.options[0]!.gpuMilli, now).length > 0) return []
    const depth = compiled.withinRequired ? compiled.withinDepth! : 0
    const at = earliestPlace(machine.fleet, compiled, depth, now)?.at
    // What fits and yet does not start is kept for others, and nothing says for how long.
    if (at === undefined || at <= now || at === Number.POSITIVE_INFINITY) return []
    const message = `On ${model} it could start in ${formatDuration(at - now)}.`
    return [{ change, message, startsNow: false, startsAt: at }]
  })
}

/** The longest time limit with which it would have ended before what is kept for others is due. */
function shorterLimit(pass: Pass, entry: Entry, request: RequestClass): Counterfactual[] {
  const { promises, now } = pass
  const limits = [...new Set(promises.list.map(({ at }) => at - now))].filter(
    (limitMs) => limitMs > 0 && limitMs < (entry.gang.limitMs ?? Number.POSITIVE_INFINITY),
  )
  for (const limitMs of limits.sort((a, b) => b - a)) {
    if (!pass.wouldStart({ ...entry, gang: { ...entry.gang, limitMs } }, request)) continue
    return [
      {
        change: { kind: 'shorter-limit', limitMs },
        message: `With a time limit of ${formatDuration(limitMs)} or less it starts now, before what is kept for others is due.`,
        startsNow: true,
      },
    ]
  }
  return []
}

/** Calendar windows that bind the gang and without which it would start; for whoever may cancel or move them. */
function withoutWindows(pass: Pass, entry: Entry, request: RequestClass): Counterfactual[] {
  const found: Counterfactual[] = []
  for (const promised of pass.promises.list) {
    const { reservation } = promised
    if (!reservation || !binds(reservation, entry, pass.now)) continue
    if (!pass.promises.lookWithout(promised, () => pass.wouldStart(entry, request))) continue
    found.push({
      change: { kind: 'without-reservation', reservation: reservation.id },
      message: `Without ${reservation.kind === 'maintenance' ? 'the maintenance window' : 'the reservation'} ${reservation.id} it starts now.`,
      startsNow: true,
    })
  }
  return found.sort((a, b) => compareIds(a.message, b.message))
}

function startsNow(pass: Pass, entry: Entry, request: ResourceRequest): boolean {
  const compiled = pass.machine.fleet.classOf(smallest(request))
  return pass.wouldStart({ ...entry, gang: { ...entry.gang, request } }, compiled)
}
