import type { AttemptId, Draft } from '../../base/index.ts'
import { id, present, sameJson } from '../../base/index.ts'
import type { Attempt, Workload } from '../../model/index.ts'
import { SCHEDULER } from '../../model/index.ts'
import type { Eviction, Plan, Start } from '../../scheduler/index.ts'
import { planPass } from '../../scheduler/index.ts'
import type { Rejection } from '../effect.ts'
import { forEngine, type NodeNames } from '../engine-names.ts'
import { liveWorkload } from '../evolve/workload.ts'
import type { LaunchOrder } from '../ports/index.ts'
import type { Recorder } from '../recorder.ts'
import { graceOf, stopAttempt } from './stop.ts'

/** Runs one scheduling pass and records all that it planned: one decision, so that an eviction never stands alone (S3). */
export function schedule(recorder: Recorder): Rejection | undefined {
  const plan = planPass(recorder.state.derived.machine, recorder.now)
  commit(recorder, plan)
  return undefined
}

function commit(recorder: Recorder, plan: Plan): void {
  replaceHolds(recorder, plan)
  for (const eviction of plan.evictions) evict(recorder, eviction)
  for (const start of plan.starts) launch(recorder, start)
  recorder.nextPassAt = plan.nextPassAt
}

/** Holds that the plan no longer names are given back before anything takes their place. */
function replaceHolds(recorder: Recorder, plan: Plan): void {
  if (plan.holds.length === 0 && recorder.state.holds.size === 0) return
  const standing = new Map(plan.holds.map((hold) => [hold.id, hold]))
  for (const [held, before] of Array.from(recorder.state.holds)) {
    const after = standing.get(held)
    if (after && sameJson(after, before)) continue
    const started = plan.starts.some(
      (start) => start.workload === before.workload && start.replica === before.replica,
    )
    const reason = after ? 'replaced' : started ? 'started' : 'no longer needed'
    recorder.emit({ kind: 'hold-released', hold: held, reason }, SCHEDULER)
  }
  for (const hold of plan.holds) {
    if (!recorder.state.holds.has(hold.id)) recorder.emit({ kind: 'hold-placed', hold }, SCHEDULER)
  }
}

function evict(recorder: Recorder, eviction: Eviction): void {
  const attempt = present(recorder.state.attempts.get(eviction.attempt), 'attempt', eviction.attempt)
  const workload = liveWorkload(recorder.state, attempt.workload)
  stopAttempt(recorder, attempt.id, {
    reason: eviction.resize ? 'resized' : 'preempted',
    graceMs: Math.max(eviction.graceMs, graceOf(workload)),
    actor: SCHEDULER,
    for: eviction.for,
    ...(eviction.resize && { resize: eviction.resize }),
  })
}

function launch(recorder: Recorder, start: Start): void {
  const workload = liveWorkload(recorder.state, start.workload)
  const number = workload.attemptCount + 1
  const attempt = id<AttemptId>(`${workload.id}.${number}`)
  recorder.emit(
    {
      kind: 'attempt-planned',
      workload: workload.id,
      attempt,
      number,
      replica: start.replica,
      allocation: start.allocation,
    },
    SCHEDULER,
  )
  const planned = present(recorder.state.attempts.get(attempt), 'attempt', attempt)
  recorder.effect({ kind: 'launch', order: launchOrder(recorder.state.nodes, workload, planned) })
}

/** The order that starts this attempt; the same at every call, so that it can be given again after a crash. */
export function launchOrder(nodes: NodeNames, workload: Workload, attempt: Attempt): LaunchOrder {
  const { spec } = workload
  const order: Draft<LaunchOrder> = {
    attempt: attempt.id,
    workload: workload.id,
    number: attempt.number,
    name: spec.name,
    owner: workload.owner,
    allocation: forEngine(nodes, attempt.allocation),
    program: spec.program,
    needsPort: spec.type === 'serve',
    replica: attempt.replica,
  }
  if (spec.type === 'train' && spec.checkpoint) order.checkpointDir = spec.checkpoint.path
  if (spec.type === 'train' && spec.arrayIndex !== undefined) order.arrayIndex = spec.arrayIndex
  if (spec.limitMs !== undefined) order.limitMs = spec.limitMs
  const { shape, elastic } = spec.resources
  if (elastic && shape.kind === 'nodes') order.askedSize = { nodes: shape.nodes }
  if (elastic && shape.kind === 'gpus') order.askedSize = { gpus: shape.gpus }
  return order
}
