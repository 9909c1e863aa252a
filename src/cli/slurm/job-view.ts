import type { WorkloadView } from '../../api/index.ts'
import { formatHostlist } from '../../model/slurm/hostlist.ts'
import { formatSlurmDuration } from '../../model/slurm/slurm-time.ts'
import type { ViewColumn } from './format.ts'
import { slurmTime } from './format.ts'

/** A workload as Slurm's users look at it. */
export interface JobRow {
  readonly workload: WorkloadView
  readonly nodes: readonly string[]
  readonly now: number
}

const STATES: Readonly<Record<WorkloadView['state'], readonly [code: string, name: string]>> = {
  queued: ['PD', 'PENDING'],
  starting: ['CF', 'CONFIGURING'],
  running: ['R', 'RUNNING'],
  stopping: ['CG', 'COMPLETING'],
  succeeded: ['CD', 'COMPLETED'],
  failed: ['F', 'FAILED'],
  cancelled: ['CA', 'CANCELLED'],
}

export function stateName({ state }: WorkloadView): string {
  return STATES[state][1]
}

/** Whether a state is meant by a name of Slurm's, short or long, in any case. */
export function isSlurmState(workload: WorkloadView, wanted: string): boolean {
  const name = wanted.toUpperCase()
  return name === 'ALL' || STATES[workload.state].includes(name)
}

export function isKnownState(name: string): boolean {
  return (
    name.toLowerCase() === 'all' || Object.values(STATES).some((names) => names.includes(name.toUpperCase()))
  )
}

/** The fields of `squeue -o`, by letter. Source of letters and titles: squeue(1). */
export const JOB_COLUMNS: Readonly<Record<string, ViewColumn<JobRow>>> = {
  i: { title: 'JOBID', cell: ({ workload }) => workload.id },
  A: { title: 'JOBID', cell: ({ workload }) => workload.id },
  F: { title: 'ARRAY_JOB_ID', cell: ({ workload }) => workload.id },
  P: { title: 'PARTITION', cell: ({ workload }) => workload.queue },
  j: { title: 'NAME', cell: ({ workload }) => workload.spec.name },
  u: { title: 'USER', cell: ({ workload }) => workload.owner.user },
  a: { title: 'ACCOUNT', cell: ({ workload }) => workload.owner.team },
  q: { title: 'QOS', cell: ({ workload }) => workload.spec.priority },
  p: { title: 'PRIORITY', cell: ({ workload }) => workload.spec.priority },
  t: { title: 'ST', cell: ({ workload }) => STATES[workload.state][0] },
  T: { title: 'STATE', cell: ({ workload }) => STATES[workload.state][1] },
  M: { title: 'TIME', cell: (row) => formatSlurmDuration(elapsedMs(row)) },
  l: { title: 'TIME_LIMIT', cell: ({ workload }) => formatSlurmDuration(workload.spec.limitMs) },
  L: {
    title: 'TIME_LEFT',
    cell: (row) => {
      const { limitMs } = row.workload.spec
      return limitMs === undefined ? 'UNLIMITED' : formatSlurmDuration(Math.max(0, limitMs - elapsedMs(row)))
    },
  },
  D: { title: 'NODES', cell: ({ workload, nodes }) => String(nodes.length || askedNodes(workload)) },
  N: { title: 'NODELIST', cell: ({ nodes }) => formatHostlist(nodes) },
  R: { title: 'NODELIST(REASON)', cell: (row) => formatHostlist(row.nodes) || `(${reasonOf(row.workload)})` },
  r: { title: 'REASON', cell: ({ workload }) => reasonOf(workload) },
  b: { title: 'TRES_PER_NODE', cell: ({ workload }) => `gpu:${workload.gpus}` },
  S: {
    title: 'START_TIME',
    cell: ({ workload }) => slurmTime(workload.firstStartedAt ?? workload.forecast?.p50At),
  },
  e: { title: 'END_TIME', cell: ({ workload }) => slurmTime(workload.endsAt) },
  V: { title: 'SUBMIT_TIME', cell: ({ workload }) => slurmTime(workload.submittedAt) },
  Z: { title: 'WORK_DIR', cell: ({ workload }) => workload.spec.program.workdir },
  E: {
    title: 'DEPENDENCY',
    cell: ({ workload: { waitsFor } }) =>
      waitsFor.length === 0 ? '(null)' : `afterok:${waitsFor.join(':')}`,
  },
}

/** Time since it first started, up to now or to its end. */
export function elapsedMs({ workload, now }: JobRow): number {
  const { firstStartedAt, state, stateSince } = workload
  if (firstStartedAt === undefined || state === 'queued') return 0
  const isOver = /^(?:succeeded|failed|cancelled)$/.test(state)
  return Math.max(0, (isOver ? stateSince : now) - firstStartedAt)
}

function askedNodes({ spec }: WorkloadView): number {
  const { shape } = spec.resources
  return shape.kind === 'nodes' ? shape.nodes : 1
}

/** One word would hide what Banyan knows; it is a sentence here, and more stands in `banyan explain`. */
function reasonOf(workload: WorkloadView): string {
  if (workload.state !== 'queued') return 'None'
  if (workload.waitsFor.length > 0) return 'Dependency'
  return workload.stateReason || `see banyan explain ${workload.id}`
}
