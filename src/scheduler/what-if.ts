import type { AttemptId, NodeId, QueueId, ReservationId, TimeMs, WorkloadId } from '../base/index.ts'
import { assert, compareIds, unreachable } from '../base/index.ts'
import type { NodeDescription, Policy, Queue, Reservation } from '../model/index.ts'
import { type Forecast, type ForecastOptions, forecast } from './forecast.ts'
import { gangKey, type QueuedGang } from './gang.ts'
import type { Machine } from './machine.ts'
import { planPass } from './pass.ts'

/** A change that is tried on a copy. */
export type Edit =
  | { readonly kind: 'add-nodes'; readonly nodes: readonly NodeDescription[] }
  | { readonly kind: 'remove-nodes'; readonly nodes: readonly NodeId[] }
  | { readonly kind: 'set-queue'; readonly queue: Queue }
  | { readonly kind: 'set-policy'; readonly policy: Policy }
  | { readonly kind: 'set-priority'; readonly workload: WorkloadId; readonly priority: number }
  | { readonly kind: 'set-reservation'; readonly reservation: Reservation }
  | { readonly kind: 'remove-reservation'; readonly reservation: ReservationId }
  | { readonly kind: 'submit'; readonly gang: QueuedGang }
  | { readonly kind: 'withdraw'; readonly workload: WorkloadId }

/** When one gang starts without and with the edits, over the same replications and the same luck. */
export interface StartChange {
  readonly workload: WorkloadId
  readonly replica: number
  readonly queue: QueueId
  /** Without times when it would not start; absent when it was not there. */
  readonly before?: Forecast
  readonly after?: Forecast
}

export interface WhatIf {
  /** Gangs whose start moves, those that gain most first. */
  readonly changes: readonly StartChange[]
  readonly earlier: number
  readonly later: number
  readonly unchanged: number
  /** Attempts that would be ended at once: by the edits themselves, or by the next plan. */
  readonly evicted: readonly AttemptId[]
  /** Attempts that the next plan ends anyway. */
  readonly evictedBefore: readonly AttemptId[]
}

/** What the edits would lead to; the machine itself is not touched. Refuses, by assertion, edits of what is not there. */
export function whatIf(
  machine: Machine,
  now: TimeMs,
  edits: readonly Edit[],
  options: ForecastOptions,
): WhatIf {
  const edited = machine.clone()
  const evicted = edits.flatMap((edit) => applyEdit(edited, edit, now))
  const before = byGang(forecast(machine, now, options))
  const after = byGang(forecast(edited, now, options))
  const changes: StartChange[] = []
  let unchanged = 0
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const gang = (edited.waiting.entries.get(key) ?? machine.waiting.entries.get(key)!).gang
    const was = before.get(key)
    const is = after.get(key)
    if (was?.p50 === is?.p50 && was?.p90 === is?.p90) {
      unchanged++
      continue
    }
    changes.push({
      workload: gang.workload,
      replica: gang.replica,
      queue: gang.queue,
      ...(was !== undefined && { before: was }),
      ...(is !== undefined && { after: is }),
    })
  }
  changes.sort((a, b) => gain(b) - gain(a) || compareIds(a.workload, b.workload) || a.replica - b.replica)
  const plannedBefore = planPass(machine, now).evictions.map(({ attempt }) => attempt)
  const plannedAfter = planPass(edited, now).evictions.map(({ attempt }) => attempt)
  return {
    changes,
    earlier: changes.filter((change) => gain(change) > 0).length,
    later: changes.filter((change) => gain(change) < 0).length,
    unchanged,
    evicted: [...evicted, ...plannedAfter].sort(compareIds),
    evictedBefore: plannedBefore.sort(compareIds),
  }
}

/** Does the edit to a machine that may be changed; returns the attempts that it ends. */
function applyEdit(machine: Machine, edit: Edit, now: TimeMs): AttemptId[] {
  switch (edit.kind) {
    case 'add-nodes':
      for (const node of edit.nodes) machine.setNode(node, 'ready')
      return []
    case 'remove-nodes':
      return edit.nodes.flatMap((node) => removeNode(machine, node, now))
    case 'set-queue':
      machine.setQueue(edit.queue)
      return []
    case 'set-policy':
      machine.setPolicy(edit.policy, now)
      return []
    case 'set-priority':
      setPriority(machine, edit.workload, edit.priority)
      return []
    case 'set-reservation':
      machine.setReservation(edit.reservation)
      return []
    case 'remove-reservation':
      machine.removeReservation(edit.reservation)
      return []
    case 'submit':
      machine.enqueue(edit.gang)
      return []
    case 'withdraw':
      for (const gang of gangsOf(machine, edit.workload)) machine.dequeue(gang.workload, gang.replica)
      return []
    default:
      return unreachable(edit)
  }
}

function removeNode(machine: Machine, node: NodeId, now: TimeMs): AttemptId[] {
  const index = machine.fleet.tree.nodeIndex.get(node)
  assert(index !== undefined, `there is no node ${node} to remove`)
  const ended: AttemptId[] = []
  for (const { attempt, gang } of machine.fleet.onNode[index]!.slice()) {
    if (attempt === undefined) continue
    machine.end(attempt, now)
    machine.enqueue(gang)
    ended.push(attempt)
  }
  machine.removeNode(node)
  return ended
}

function setPriority(machine: Machine, workload: WorkloadId, priority: number): void {
  const gangs = gangsOf(machine, workload)
  assert(gangs.length > 0, `workload ${workload} is not queued`)
  for (const gang of gangs) machine.updateQueued({ ...gang, priority })
}

function gangsOf(machine: Machine, workload: WorkloadId): QueuedGang[] {
  return [...machine.waiting.entries.values()].flatMap(({ gang }) =>
    gang.workload === workload ? [gang] : [],
  )
}

function byGang(forecasts: readonly Forecast[]): Map<string, Forecast> {
  return new Map(forecasts.map((one) => [gangKey(one.workload, one.replica), one]))
}

/** Milliseconds earlier; a start that there was not at all counts more than any delay. */
function gain({ before, after }: StartChange): number {
  return (before?.p50 ?? Number.MAX_SAFE_INTEGER) - (after?.p50 ?? Number.MAX_SAFE_INTEGER)
}
