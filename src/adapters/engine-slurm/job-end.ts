import type { NodeId } from '../../base/index.ts'
import { id } from '../../base/index.ts'
import type { EngineCause, TaskExit } from '../../control/ports/index.ts'
import { refusedByMachine } from '../engine-shared/refusals.ts'
import type { Task } from '../engine-shared/tasks.ts'
import type { SlurmJob } from './transport.ts'

const OVER: ReadonlySet<string> = new Set([
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TIMEOUT',
  'NODE_FAIL',
  'BOOT_FAIL',
  'PREEMPTED',
  'OUT_OF_MEMORY',
  'DEADLINE',
  'REVOKED',
])

/** Whether Slurm will do nothing more for a job in this state. */
export function isOver(state: string): boolean {
  return OVER.has(state)
}

export interface JobEnd {
  readonly exits: readonly TaskExit[]
  readonly cause?: EngineCause
}

/** All that is known when a job is over. */
export interface JobEvidence {
  /** As the controller showed it; undefined when it has no record of it any more. */
  readonly job: SlurmJob | undefined
  /** Whether Banyan had asked for the end. */
  readonly wasStopped: boolean
  readonly lost: { readonly node: string; readonly why: string } | undefined
  readonly exits: readonly { readonly task: Task; readonly exit: TaskExit | undefined }[]
  /** What a launcher, or the engine itself, wrote instead of starting tasks. */
  readonly refusal: EngineCause | undefined
  /** The last words of the job's script. */
  readonly words: string
}

/**
 * How the attempt ended: what its launchers saw of the tasks counts, and Slurm's own word where it ended them or
 * where nobody saw the end.
 */
export function endOfJob(evidence: JobEvidence): JobEnd {
  const { job, wasStopped, exits, refusal } = evidence
  const seen = exits.flatMap(({ exit }) => exit ?? [])
  if (seen.length === exits.length && seen.every(({ stopped, exitCode }) => !stopped && exitCode === 0)) {
    return { exits: seen }
  }
  if (job?.state === 'NODE_FAIL' || job?.state === 'BOOT_FAIL')
    return { exits: seen, cause: lostNode(evidence) }
  if (refusal) return { exits: [], cause: refusal }
  if (!wasStopped) {
    const cause = endedBySlurm(job, seen)
    if (cause) return { exits: seen, cause }
    if (seen.length === 0) return { exits: [], cause: neverRan(evidence) }
  }
  const at = Math.max(0, ...seen.map((exit) => exit.at)) || Date.now()
  return {
    exits: exits.map(
      ({ task, exit }) => exit ?? { task: task.rank, node: task.node, at, logTail: '', stopped: wasStopped },
    ),
  }
}

/**
 * How the attempt ended, once every launcher has said that nothing of it is left; undefined when only Slurm knows why
 * its tasks were ended.
 */
export function endOfTasks(evidence: Omit<JobEvidence, 'job' | 'lost' | 'words'>): JobEnd | undefined {
  const { wasStopped, exits, refusal } = evidence
  if (refusal) return { exits: [], cause: refusal }
  const seen = exits.flatMap(({ exit }) => exit ?? [])
  if (seen.length < exits.length) return undefined
  const wentWell = seen.every(({ stopped, exitCode }) => !stopped && exitCode === 0)
  return wentWell || wasStopped || failedByItself(seen) ? { exits: seen } : undefined
}

function lostNode({ job, lost }: JobEvidence): EngineCause {
  const where = lost ? `node ${lost.node}, which ${lost.why}` : `one of its nodes (${job?.nodes})`
  return {
    kind: 'node-lost',
    message: `Slurm lost ${where}, under job ${job?.id}`,
    blame: 'platform',
    ...(lost ? { node: id<NodeId>(lost.node) } : {}),
  }
}

/**
 * Whether a task failed for a reason of its own, which says more than that the rest was ended. Slurm's own signals
 * reach the tasks before their launcher, which then cannot know that they were stopped.
 */
function failedByItself(seen: readonly TaskExit[]): boolean {
  return seen.some(
    ({ stopped, exitCode, signal }) =>
      !stopped && exitCode !== 0 && (signal === undefined || !/^SIG(?:TERM|KILL|CONT)$/.test(signal)),
  )
}

/** Slurm, or somebody with its commands, ended the job before its tasks ended by themselves. */
function endedBySlurm(job: SlurmJob | undefined, seen: readonly TaskExit[]): EngineCause | undefined {
  if (failedByItself(seen)) return undefined
  switch (job?.state) {
    case 'TIMEOUT':
    case 'DEADLINE':
      return { kind: 'time-limit', message: `job ${job.id} reached its time limit in Slurm`, blame: 'user' }
    case 'PREEMPTED':
      return {
        kind: 'ended-outside',
        message: `Slurm preempted job ${job.id} for another of its own`,
        blame: 'platform',
      }
    case 'CANCELLED':
      return {
        kind: 'ended-outside',
        message: `job ${job.id} was cancelled with Slurm's own commands; to end work so that it is not taken for a failure use banyan stop`,
        blame: 'user',
      }
    case 'OUT_OF_MEMORY':
      return {
        kind: 'ended-outside',
        message: `job ${job.id} needed more memory than goes with its GPUs and was ended by Slurm`,
        blame: 'user',
      }
    default:
      return undefined
  }
}

function neverRan({ job, words }: JobEvidence): EngineCause {
  const said = words === '' ? '' : `: ${words}`
  if (!job) {
    return {
      kind: 'engine-restarted',
      message: `Slurm has no record of its job any more, and no task left a trace of how it ended${said}`,
      blame: 'platform',
    }
  }
  const reason = job.reason === '' ? '' : ` (${job.reason})`
  return refusedByMachine(
    `job ${job.id} ended in Slurm as ${job.state}${reason} before its tasks started${said}`,
  )
}
