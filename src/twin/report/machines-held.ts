import type { WorkloadId } from '../../base/index.ts'
import type { Behaviour } from '../fleet/behaviour.ts'
import type { JobRecord } from './job-log.ts'
import { ascending, mean, quantile } from './summary.ts'

/** What became of the machines that people asked for, by the name they have in the scenario. */
export interface MachinesFigures {
  readonly name: string
  readonly asked: number
  /** Got, held for as long as was meant, and given back. */
  readonly returned: number
  /** Until they were there for the first time; of those that got any. */
  readonly meanWaitS: number
  readonly p90WaitS: number
  readonly heldGpuHours: number
  /** Of those, while nothing ran on them; absent where the scenario does not say how much they are used. */
  readonly idleGpuHours?: number
  /** Times that others took their place after a failure. */
  readonly replaced: number
  /** Times that they were taken away for others. */
  readonly evicted: number
}

type Hold = NonNullable<Behaviour['hold']>

/** The figures of all machines that were asked for, in the order of the first. */
export function machinesFigures(
  jobs: readonly JobRecord[],
  holdOf: (workload: WorkloadId) => Hold | undefined,
): MachinesFigures[] {
  const groups = new Map<string, { readonly used: number | undefined; readonly jobs: JobRecord[] }>()
  for (const job of jobs) {
    const hold = holdOf(job.workload)
    if (!hold) continue
    const group = groups.get(hold.source)
    if (group) group.jobs.push(job)
    else groups.set(hold.source, { used: hold.used, jobs: [job] })
  }
  return [...groups].map(([name, group]) => figuresOf(name, group.used, group.jobs))
}

function figuresOf(name: string, used: number | undefined, jobs: readonly JobRecord[]): MachinesFigures {
  const waits = ascending(
    jobs.flatMap(({ firstStartAt, submittedAt }) =>
      firstStartAt === undefined ? [] : [(firstStartAt - submittedAt) / 1000],
    ),
  )
  const sum = (of: (job: JobRecord) => number) => jobs.reduce((all, job) => all + of(job), 0)
  const heldGpuHours = sum(({ gpus, heldMs }) => gpus * heldMs) / 3_600_000
  return {
    name,
    asked: jobs.length,
    returned: sum(({ state }) => (state === 'succeeded' ? 1 : 0)),
    meanWaitS: mean(waits),
    p90WaitS: quantile(waits, 0.9),
    heldGpuHours,
    ...(used !== undefined ? { idleGpuHours: heldGpuHours * (1 - used) } : {}),
    replaced: sum(({ starts, preemptions }) => Math.max(0, starts - 1 - preemptions)),
    evicted: sum(({ preemptions }) => preemptions),
  }
}
