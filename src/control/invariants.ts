import type { Attempt, Workload } from '../model/index.ts'
import { allocatedGpus, isFinal } from '../model/index.ts'
import type { ControlState } from './state.ts'

export interface Violation {
  /** The safety rule of the design that is broken, `S1` to `S10`. */
  readonly rule: string
  readonly detail: string
}

/**
 * Every safety rule that the state breaks by itself; none in a healthy one. Rules over time (S3, S5, S6) are
 * checked where the events are at hand.
 */
export function violations(state: ControlState): Violation[] {
  const found: Violation[] = []
  wholeGangs(state, found)
  disjointAllocations(state, found)
  evictionsServeSomebody(state, found)
  consistentRecords(state, found)
  return found
}

/** S1: a live attempt holds exactly what its workload asked for. */
function wholeGangs(state: ControlState, found: Violation[]): void {
  for (const attempt of state.attempts.values()) {
    const workload = state.workloads.get(attempt.workload)
    if (!workload) continue
    const held = allocatedGpus(attempt.allocation)
    const [least, most] = gpusAsked(workload, attempt)
    if (held < least || held > most) {
      found.push({
        rule: 'S1',
        detail: `${attempt.id} holds ${held} GPUs, its gang needs ${least} to ${most}`,
      })
    }
  }
}

function gpusAsked(workload: Workload, attempt: Attempt): [number, number] {
  const { shape, elastic } = workload.spec.resources
  if (shape.kind === 'fraction') return [shape.milliGpus / 1000, shape.milliGpus / 1000]
  if (shape.kind === 'gpus') return elastic ? [elastic.min, elastic.max] : [shape.gpus, shape.gpus]
  const { parts } = attempt.allocation
  const nodes = parts.length
  if (elastic ? nodes < elastic.min || nodes > elastic.max : nodes !== shape.nodes) {
    return [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  }
  // Whole nodes of a gang have as many GPUs each; how many they had when it started only they knew then.
  const perNode = shape.gpusPerNode ?? parts[0]?.gpus.length ?? 0
  return [nodes * perNode, nodes * perNode]
}

/** S2: no GPU is in two live allocations, and shares of one GPU add up to at most the whole. */
function disjointAllocations(state: ControlState, found: Violation[]): void {
  const held = new Map<string, number>()
  for (const attempt of state.attempts.values()) {
    for (const part of attempt.allocation.parts) {
      for (const gpu of part.gpus) {
        const key = `${part.node} GPU ${gpu}`
        const milli = (held.get(key) ?? 0) + (part.milliGpus ?? 1000)
        held.set(key, milli)
        if (milli > 1000)
          found.push({
            rule: 'S2',
            detail: `${key} is held ${milli} thousandths, by ${attempt.id} among others`,
          })
      }
    }
  }
}

/** S3: whoever is being evicted makes room for a workload that is live, and that has started or has a hold. */
function evictionsServeSomebody(state: ControlState, found: Violation[]): void {
  for (const attempt of state.attempts.values()) {
    if (attempt.stop?.reason !== 'preempted' && attempt.stop?.reason !== 'resized') continue
    const beneficiary = attempt.stop.for
    const workload = beneficiary ? state.workloads.get(beneficiary) : undefined
    // A beneficiary that was cancelled in the meantime cannot be given its place any more.
    if (!beneficiary) found.push({ rule: 'S3', detail: `${attempt.id} is evicted for nobody` })
    if (workload?.state !== 'queued') continue
    const hasHold = [...state.holds.values()].some((hold) => hold.workload === workload.id)
    if (!hasHold)
      found.push({ rule: 'S3', detail: `${attempt.id} is evicted for ${workload.id}, which has no hold` })
  }
}

/** S6: workloads and attempts name each other, and nothing final is left in the live state. */
function consistentRecords(state: ControlState, found: Violation[]): void {
  for (const workload of state.workloads.values()) {
    if (isFinal(workload.state))
      found.push({ rule: 'S6', detail: `${workload.id} is ${workload.state} but still live` })
    for (const id of workload.liveAttempts) {
      if (!state.attempts.has(id))
        found.push({ rule: 'S6', detail: `${workload.id} names the ended attempt ${id}` })
    }
    const resting = workload.state === 'queued'
    if (resting !== (workload.liveAttempts.length === 0)) {
      found.push({
        rule: 'S6',
        detail: `${workload.id} is ${workload.state} with ${workload.liveAttempts.length} live attempts`,
      })
    }
  }
  for (const attempt of state.attempts.values()) {
    const workload = state.workloads.get(attempt.workload)
    if (!workload?.liveAttempts.includes(attempt.id)) {
      found.push({ rule: 'S6', detail: `${attempt.id} is live but its workload does not know it` })
    }
    if (attempt.state === 'ended')
      found.push({ rule: 'S6', detail: `${attempt.id} has ended but is still live` })
  }
}
