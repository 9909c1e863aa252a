import type { TimeMs } from '../base/index.ts'
import type {
  Allocation,
  Attempt,
  Outcome,
  SpanCause,
  Usage,
  UsageSpan,
  Workload,
  WorkloadSpec,
} from '../model/index.ts'
import { isBilled } from '../model/index.ts'
import type { ControlState } from './state.ts'

/** One part of an attempt's life. */
interface Phase {
  readonly cause: SpanCause
  readonly from: TimeMs
  readonly to: TimeMs
}

/** What of an attempt its phases follow from. */
type Life = Pick<Attempt, 'plannedAt' | 'runningAt' | 'checkpoint' | 'isRestart'>

/**
 * The life of an attempt from its plan to `to`, cut by what its GPUs were taken up with, in order and without a gap; `outcome`
 * is absent while it has not ended. What the platform or other work cut off is lost back to the last checkpoint; only
 * training goes back to one: a replica or a machine that ran has served its purpose until it was cut off.
 */
export function phasesOf(
  attempt: Life,
  type: WorkloadSpec['type'],
  to: TimeMs,
  outcome: Outcome | undefined,
): readonly Phase[] {
  const from = attempt.plannedAt
  const ranAt = within(attempt.runningAt ?? to, from, to)
  const isCutOff = outcome === 'platform-failure' || outcome === 'preempted'
  const goesBack = type === 'train' && (isCutOff || outcome === 'user-failure')
  const keptUntil = goesBack
    ? within(attempt.checkpoint?.at ?? from, outcome === 'user-failure' ? ranAt : from, to)
    : isCutOff && attempt.runningAt === undefined
      ? from
      : to
  const startedUntil = Math.min(ranAt, keptUntil)
  const phases: Phase[] = []
  add(phases, attempt.isRestart ? 'restart' : 'start', from, startedUntil)
  add(phases, 'work', startedUntil, keptUntil)
  if (isCutOff || outcome === 'user-failure') add(phases, outcome, keptUntil, to)
  return phases
}

function add(phases: Phase[], cause: SpanCause, from: TimeMs, to: TimeMs): void {
  if (to > from) phases.push({ cause, from, to })
}

/** GPU-milliseconds of these phases. What is not billed was lost (S7). */
export function usageOf(phases: readonly Phase[], milliGpus: number): Usage {
  let held = 0
  let billed = 0
  for (const { cause, from, to } of phases) {
    const gpuMs = (milliGpus * (to - from)) / 1000
    held += gpuMs
    if (isBilled(cause)) billed += gpuMs
  }
  return { held, billed, lost: held - billed }
}

/** The same by GPU model and with whose it was. */
export function spansOf(
  state: ControlState,
  workload: Workload,
  attempt: Attempt,
  phases: readonly Phase[],
): UsageSpan[] {
  const spans: UsageSpan[] = []
  for (const { gpuModel, milliGpus } of milliGpusByModel(state, attempt.allocation)) {
    for (const phase of phases) {
      spans.push({
        workload: workload.id,
        attempt: attempt.id,
        owner: workload.owner,
        gpuModel,
        milliGpus,
        from: phase.from,
        to: phase.to,
        cause: phase.cause,
      })
    }
  }
  return spans
}

/** That the workload waited from when it came to be queued; `milliGpus` is what it was given in the end. */
export function queueSpan(
  state: ControlState,
  workload: Workload,
  to: TimeMs,
  milliGpus = askedMilliGpus(state, workload.spec),
): UsageSpan[] {
  const from = workload.stateSince
  if (milliGpus === 0 || to <= from) return []
  return [{ workload: workload.id, owner: workload.owner, gpuModel: '', milliGpus, from, to, cause: 'queue' }]
}

/** What is held and waited for now, as if it ended now as it should. */
export function openSpans(state: ControlState, now: TimeMs): UsageSpan[] {
  const spans: UsageSpan[] = []
  for (const workload of state.workloads.values()) {
    if (workload.state === 'queued') spans.push(...queueSpan(state, workload, now))
    for (const id of workload.liveAttempts) {
      const attempt = state.attempts.get(id)
      if (!attempt) continue
      const phases = phasesOf(attempt, workload.spec.type, Math.max(now, attempt.plannedAt), undefined)
      spans.push(...spansOf(state, workload, attempt, phases))
    }
  }
  return spans
}

/** In the order of the parts; nearly all attempts stand on one model. */
function milliGpusByModel(
  state: ControlState,
  { parts }: Allocation,
): readonly Pick<UsageSpan, 'gpuModel' | 'milliGpus'>[] {
  const models: { gpuModel: string; milliGpus: number }[] = []
  for (const { node, gpus, milliGpus: each = 1000 } of parts) {
    const gpuModel = state.nodes.get(node)?.gpuModel ?? ''
    const milliGpus = gpus.length * each
    const known = models.find((model) => model.gpuModel === gpuModel)
    if (known) known.milliGpus += milliGpus
    else models.push({ gpuModel, milliGpus })
  }
  return models
}

/** Whole nodes are counted with the GPUs of the first node there is. */
function askedMilliGpus(state: ControlState, spec: WorkloadSpec): number {
  const { shape } = spec.resources
  const replicas = spec.type === 'serve' ? spec.replicas : 1
  switch (shape.kind) {
    case 'fraction':
      return replicas * shape.milliGpus
    case 'gpus':
      return replicas * shape.gpus * 1000
    case 'nodes': {
      const [first] = state.nodes.values()
      return replicas * shape.nodes * (shape.gpusPerNode ?? first?.gpuCount ?? 0) * 1000
    }
  }
}

function within(at: TimeMs, from: TimeMs, to: TimeMs): TimeMs {
  return Math.min(Math.max(at, from), to)
}
