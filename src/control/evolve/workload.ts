import type { Draft, TimeMs, WorkloadId } from '../../base/index.ts'
import { present, unreachable } from '../../base/index.ts'
import type { Usage, Workload } from '../../model/index.ts'
import { moveWorkload, queueOfTeam } from '../../model/index.ts'
import type { Event } from '../event.ts'
import { enqueueMissing, queuedGang, wantedReplicas } from '../gangs.ts'
import type { ControlState } from '../state.ts'
import { queueSpan } from '../usage-spans.ts'

type WorkloadEvent = Extract<
  Event,
  {
    kind:
      | 'workload-submitted'
      | 'dependency-met'
      | 'start-forecast'
      | 'workload-stopping'
      | 'workload-scaled'
      | 'workload-finished'
  }
>

/** The life of a workload apart from its attempts. */
export function evolveWorkload(state: ControlState, event: WorkloadEvent, at: TimeMs): void {
  switch (event.kind) {
    case 'workload-submitted':
      submit(state, event, at)
      return
    case 'dependency-met': {
      const workload = liveWorkload(state, event.workload)
      workload.waitsFor = workload.waitsFor.filter((on) => on !== event.on)
      state.derived.dependents.get(event.on)?.delete(workload.id)
      state.derived.machine.updateQueued(queuedGang(workload, 0))
      return
    }
    case 'start-forecast':
      liveWorkload(state, event.workload).forecast = event.forecast
      return
    case 'workload-stopping': {
      const workload = liveWorkload(state, event.workload)
      dequeueAll(state, workload)
      moveWorkload(workload, 'stopping', at, event.reason)
      return
    }
    case 'workload-scaled':
      scale(state, liveWorkload(state, event.workload), event.replicas)
      return
    case 'workload-finished': {
      const workload = liveWorkload(state, event.workload)
      dequeueAll(state, workload)
      for (const on of workload.waitsFor) state.derived.dependents.get(on)?.delete(workload.id)
      if (workload.state === 'queued') state.derived.departed.spans.push(...queueSpan(state, workload, at))
      moveWorkload(workload, event.state, at, event.reason)
      state.workloads.delete(workload.id)
      state.derived.departed.workloads.set(workload.id, workload)
      return
    }
    default:
      unreachable(event)
  }
}

export function liveWorkload(state: ControlState, id: WorkloadId): Workload {
  return present(state.workloads.get(id), 'workload', id)
}

function submit(
  state: ControlState,
  event: Extract<Event, { kind: 'workload-submitted' }>,
  at: TimeMs,
): void {
  const { machine, dependents } = state.derived
  const workload: Draft<Workload> = {
    id: event.workload,
    owner: event.owner,
    queue: queueOfTeam(event.owner.team),
    spec: event.spec,
    submittedAt: at,
    waitsFor: event.waitsFor,
    state: 'queued',
    stateSince: at,
    stateReason: '',
    attemptCount: 0,
    liveAttempts: NONE,
    userFailures: 0,
    platformFailures: 0,
    notBefore: event.spec.notBefore ?? 0,
    avoidedNodes: NONE,
    usage: NO_USAGE,
  }
  state.nextWorkloadNumber++
  state.workloads.set(workload.id, workload)
  for (const on of event.waitsFor) dependents.set(on, (dependents.get(on) ?? new Set()).add(workload.id))
  if (event.spec.type !== 'train') {
    enqueueMissing(state, workload)
    return
  }
  const gang = queuedGang(workload, 0)
  // Kept with the workload, so that a restart, which knows of more runs than there were then, finds the same order.
  // A copy by spread with one field more would cost: V8 makes a hash table of an object that gets so many fields late.
  workload.predictedMs = machine.history.predict(gang)
  gang.predictedMs = workload.predictedMs
  machine.enqueue(gang)
}

/** Those that most workloads begin with are shared: nothing in them is ever changed in place. */
const NONE: readonly never[] = []
const NO_USAGE: Usage = { held: 0, billed: 0, lost: 0 }

function scale(state: ControlState, workload: Workload, replicas: number): void {
  if (workload.spec.type !== 'serve') return
  const before = wantedReplicas(workload)
  workload.spec = { ...workload.spec, replicas }
  for (let replica = replicas; replica < before; replica++) {
    state.derived.machine.dequeue(workload.id, replica)
  }
  enqueueMissing(state, workload)
}

function dequeueAll(state: ControlState, workload: Workload): void {
  for (let replica = 0; replica < wantedReplicas(workload); replica++) {
    state.derived.machine.dequeue(workload.id, replica)
  }
}
