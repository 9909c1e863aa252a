import type { AttemptId, NodeId } from '../../base/index.ts'
import type { Attempt, Progress } from '../../model/index.ts'
import { ordersByReports, timeLeftAfterReport } from '../../model/index.ts'
import type { Command } from '../command.ts'
import type { Rejection } from '../effect.ts'
import { endOfEngine, nodeOfEngine } from '../engine-names.ts'
import { liveWorkload } from '../evolve/workload.ts'
import type { EngineFact } from '../ports/index.ts'
import type { Recorder } from '../recorder.ts'
import type { ControlState } from '../state.ts'
import { endAttempt } from './end-attempt.ts'
import { nodeDown, nodeForeign, nodeGone, nodePresent, nodeUp } from './nodes.ts'
import { launchOrder } from './schedule.ts'

type Observe = Extract<Command, { kind: 'observe' }>

/**
 * Takes in what the engine saw. Facts may come late, twice and out of order: each is read against the present
 * state and ignored where it says nothing new.
 */
export function observe(recorder: Recorder, command: Observe): Rejection | undefined {
  for (const fact of command.facts) take(recorder, fact)
  if (command.complete)
    reconcile(recorder, new Set(command.facts.flatMap((fact) => ('attempt' in fact ? fact.attempt : []))))
  return undefined
}

function take(recorder: Recorder, fact: EngineFact): void {
  const { state } = recorder
  switch (fact.kind) {
    case 'node-present':
      nodePresent(recorder, fact.node)
      return
    case 'node-down':
    case 'node-up':
    case 'node-foreign':
    case 'node-gone': {
      const node = nodeOfEngine(state, fact.node)
      if (node !== undefined) takeOfNode(recorder, node, fact)
      return
    }
    case 'attempt-ended': {
      const attempt = state.attempts.get(fact.attempt)
      if (attempt) endAttempt(recorder, attempt, endOfEngine(state, fact))
      recorder.effect({ kind: 'forget', attempt: fact.attempt })
      return
    }
    case 'attempt-waiting':
      return
    case 'attempt-running':
      if (state.attempts.get(fact.attempt)?.state === 'starting') {
        recorder.emit({
          kind: 'attempt-running',
          attempt: fact.attempt,
          ...(fact.address !== undefined ? { address: fact.address } : {}),
        })
      }
      return
    case 'attempt-progress': {
      const attempt = state.attempts.get(fact.attempt)
      if (!attempt || !isNews(attempt, fact)) return
      recorder.emit({
        kind: 'attempt-progressed',
        attempt: attempt.id,
        progress: fact.progress,
        ...(reorders(recorder.state, attempt, fact.progress) ? { reorders: true } : {}),
        ...(fact.checkpoint ? { checkpoint: fact.checkpoint } : {}),
        ...(fact.firstLoss !== undefined ? { firstLoss: fact.firstLoss } : {}),
      })
    }
  }
}

type NodeFact = Extract<EngineFact, { kind: 'node-down' | 'node-up' | 'node-foreign' | 'node-gone' }>

function takeOfNode(recorder: Recorder, node: NodeId, fact: NodeFact): void {
  switch (fact.kind) {
    case 'node-down':
      nodeDown(recorder, node, fact.reason)
      return
    case 'node-up':
      nodeUp(recorder, node)
      return
    case 'node-foreign':
      nodeForeign(recorder, node, fact.gpus, fact.holder)
      return
    case 'node-gone':
      nodeGone(recorder, node)
  }
}

/** Whether the report makes known how long a workload runs, under a policy by whose order one that waits may take its place. */
function reorders({ policy, workloads }: ControlState, attempt: Attempt, progress: Progress): boolean {
  if (!policy.preemptByOrdering || !ordersByReports(policy)) return false
  const workload = workloads.get(attempt.workload)
  if (!workload || workload.timeLeft) return false
  const { firstProgress = progress } = attempt
  return timeLeftAfterReport(workload, { firstProgress, progress }) !== undefined
}

function isNews(attempt: Attempt, fact: Extract<EngineFact, { kind: 'attempt-progress' }>): boolean {
  const before = attempt.progress
  const saved = attempt.checkpoint
  return (
    !before ||
    fact.progress.at > before.at ||
    fact.progress.step > before.step ||
    (fact.checkpoint !== undefined && (!saved || fact.checkpoint.at > saved.at))
  )
}

/**
 * Squares the record with an engine that has told all it knows. An attempt that it does not have was either never
 * launched, and is launched now, or can no longer run, and is ended: the engine's own word, not silence (S4).
 */
function reconcile(recorder: Recorder, seen: ReadonlySet<AttemptId>): void {
  for (const attempt of Array.from(recorder.state.attempts.values())) {
    if (seen.has(attempt.id)) {
      if (attempt.stop) {
        const { signal, graceMs } = attempt.stop
        recorder.effect({ kind: 'stop', attempt: attempt.id, how: { signal, graceMs } })
      }
      continue
    }
    if (attempt.state === 'starting') {
      const workload = liveWorkload(recorder.state, attempt.workload)
      recorder.effect({ kind: 'launch', order: launchOrder(recorder.state.nodes, workload, attempt) })
      continue
    }
    endAttempt(recorder, attempt, {
      at: recorder.now,
      exits: [],
      cause: {
        kind: 'engine-restarted',
        message: 'the engine has no record of it any more',
        blame: 'platform',
      },
    })
  }
}
