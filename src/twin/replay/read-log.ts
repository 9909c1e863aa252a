import type { AttemptId, DurationMs, TimeMs, WorkloadId } from '../../base/index.ts'
import { MINUTE_MS } from '../../base/index.ts'
import type { LoggedEvent } from '../../control/index.ts'
import type { NodeAction, Owner, WorkloadSpec } from '../../model/index.ts'
import { allocatedGpus } from '../../model/index.ts'
import type { SimulatedJob } from '../world/simulated-job.ts'
import type { UserAction } from '../world/world-setup.ts'

/** What was done on a machine in a span of its log, as a world can do it again. */
export interface LoggedWork {
  readonly fromMs: TimeMs
  readonly toMs: TimeMs
  /** In order of submission; what was under way at the beginning is submitted then, what ran before what waited. */
  readonly jobs: readonly SimulatedJob[]
  /** For each job its workload in the log, and how long that waited for its first start, if it came in the span. */
  readonly recorded: readonly {
    readonly workload: WorkloadId
    readonly name: string
    readonly waitMs?: DurationMs
  }[]
  /** Nodes that went out of use and came back. */
  readonly actions: readonly UserAction[]
  /** Evictions in the span. */
  readonly evictions: number
  /** Workloads that are left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>
}

interface Life {
  readonly workload: WorkloadId
  readonly owner: Owner
  readonly spec: WorkloadSpec
  submittedAt: TimeMs
  firstStartAt?: TimeMs
  endedAt?: TimeMs
  /** Computing within the span that was kept. */
  ranMs: DurationMs
  startMs?: DurationMs
  running: number
}

/** Programs that save, and do not say how often, save so often. */
const SAVE_EVERY_MS = 30 * MINUTE_MS

/** Reads a log from its beginning; what happened before `fromMs` decides only what was under way then. */
export function readLog(events: Iterable<LoggedEvent>, fromMs: TimeMs, toMs: TimeMs): LoggedWork {
  const lives = new Map<WorkloadId, Life>()
  const attempts = new Map<AttemptId, { life: Life; plannedAt: TimeMs; runningAt?: TimeMs; gpus: number }>()
  const actions: UserAction[] = []
  let evictions = 0
  for (const { at, event } of events) {
    if (at > toMs) break
    switch (event.kind) {
      case 'workload-submitted':
        lives.set(event.workload, {
          workload: event.workload,
          owner: event.owner,
          spec: event.spec,
          submittedAt: at,
          ranMs: 0,
          running: 0,
        })
        break
      case 'dependency-met': {
        // It could not have started before, whatever the policy.
        const life = lives.get(event.workload)
        if (life) life.submittedAt = at
        break
      }
      case 'attempt-planned': {
        const life = lives.get(event.workload)
        if (!life) break
        life.firstStartAt ??= at
        attempts.set(event.attempt, { life, plannedAt: at, gpus: allocatedGpus(event.allocation) })
        break
      }
      case 'attempt-running': {
        const attempt = attempts.get(event.attempt)
        if (!attempt) break
        attempt.runningAt = at
        attempt.life.startMs ??= at - attempt.plannedAt
        attempt.life.running++
        break
      }
      case 'attempt-ended': {
        const attempt = attempts.get(event.attempt)
        attempts.delete(event.attempt)
        if (event.outcome === 'preempted' && at >= fromMs) evictions++
        if (attempt?.runningAt === undefined) break
        attempt.life.running--
        const lostMs = event.usage.lost / Math.max(attempt.gpus, 0.001)
        attempt.life.ranMs += Math.max(0, event.endedAt - lostMs - Math.max(attempt.runningAt, fromMs))
        break
      }
      case 'workload-finished': {
        const life = lives.get(event.workload)
        if (at < fromMs) lives.delete(event.workload)
        else if (life) life.endedAt = at
        break
      }
      case 'node-moved': {
        const action: NodeAction =
          event.to === 'ready' ? 'resume' : event.to === 'draining' ? 'drain' : 'cordon'
        actions.push({ atMs: Math.max(at, fromMs), what: { kind: 'node', node: event.node, action } })
        break
      }
      case 'node-renamed':
        // The machine that the log is played on has the names of today.
        actions.forEach(({ atMs, what }, index) => {
          if (what.kind === 'node' && what.node === event.node)
            actions[index] = { atMs, what: { ...what, node: event.to } }
        })
        break
      default:
    }
  }
  return { fromMs, toMs, actions, evictions, ...jobsOf([...lives.values()], fromMs) }
}

function jobsOf(lives: readonly Life[], fromMs: TimeMs): Pick<LoggedWork, 'jobs' | 'recorded' | 'skipped'> {
  const skipped: Record<string, number> = {}
  const made: { readonly life: Life; readonly job: SimulatedJob }[] = []
  for (const life of lives) {
    const reason = life.endedAt !== undefined && life.ranMs === 0 ? 'ended without having run' : undefined
    if (reason === undefined) made.push({ life, job: jobOf(life, fromMs) })
    else skipped[reason] = (skipped[reason] ?? 0) + 1
  }
  const startedBefore = ({ life }: (typeof made)[number]) =>
    life.firstStartAt !== undefined && life.firstStartAt < fromMs ? 0 : 1
  made.sort((a, b) => a.job.submitMs - b.job.submitMs || startedBefore(a) - startedBefore(b))
  return {
    skipped,
    jobs: made.map(({ job }) => job),
    recorded: made.map(({ life: { workload, spec, submittedAt, firstStartAt } }) => ({
      workload,
      name: spec.name,
      ...(submittedAt >= fromMs && firstStartAt !== undefined ? { waitMs: firstStartAt - submittedAt } : {}),
    })),
  }
}

/** What had not ended at the end of the log goes on to the end of the replay. */
function jobOf({ owner, spec, submittedAt, endedAt, ranMs, startMs }: Life, fromMs: TimeMs): SimulatedJob {
  const checkpoint = spec.type === 'train' ? spec.checkpoint : undefined
  return {
    submitMs: Math.max(submittedAt, fromMs),
    organisation: owner.organisation,
    tenant: owner.team.slice(owner.organisation.length + 1),
    user: owner.user,
    spec: spec.type === 'train' ? { ...spec, dependsOn: [] } : spec,
    behaviour: {
      startUs: Math.round((startMs ?? 0) * 1000),
      saveUs: 0,
      savesWhenTold: checkpoint !== undefined,
      ...(endedAt !== undefined ? { workUs: Math.max(1, Math.round(ranMs * 1000)) } : {}),
      ...(checkpoint ? { saveEveryUs: (checkpoint.everyMs ?? SAVE_EVERY_MS) * 1000 } : {}),
    },
  }
}
