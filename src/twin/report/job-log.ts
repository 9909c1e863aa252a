import type { AttemptId, TimeMs, WorkloadId } from '../../base/index.ts'
import { present } from '../../base/index.ts'
import type { Event } from '../../control/index.ts'
import { type Allocation, allocatedGpus, type WorkloadType } from '../../model/index.ts'

/** What became of one workload, read off the events. */
export interface JobRecord {
  readonly workload: WorkloadId
  readonly type: WorkloadType
  readonly tenant: string
  readonly submittedAt: TimeMs
  gpus: number
  firstStartAt?: TimeMs
  endedAt?: TimeMs
  state: 'open' | 'succeeded' | 'failed' | 'cancelled'
  /** Time without any live attempt. */
  queuedMs: number
  /** Time with one. */
  heldMs: number
  starts: number
  preemptions: number
}

/** What is kept of a workload until it ends. */
export interface OpenJob {
  readonly job: JobRecord
  queuedSince: TimeMs
  live: number
  /** GPUs of the gang or of one replica, and those that are waited for; kept by the meter of the fleet. */
  gpusAsked: number
  gpusQueued: number
}

/** What is kept of an attempt until it ends. */
export interface LiveJob {
  readonly open: OpenJob
  readonly plannedAt: TimeMs
  readonly allocation: Allocation
}

/** The log in the middle of a run, as plain data. */
export interface JobLogRecord {
  readonly ended: readonly JobRecord[]
  readonly order: readonly WorkloadId[]
  readonly open: readonly (readonly [WorkloadId, OpenJob])[]
  readonly live: readonly (readonly [AttemptId, WorkloadId, Omit<LiveJob, 'open'>])[]
}

type Of<Kind extends Event['kind']> = Extract<Event, { kind: Kind }>

/** Keeps the record of every workload. It knows nothing but the events, and gives what it keeps of whom they are of. */
export class JobLog {
  readonly jobs: JobRecord[] = []
  readonly #open = new Map<WorkloadId, OpenJob>()
  readonly #live = new Map<AttemptId, LiveJob>()

  submitted({ workload, owner, spec }: Of<'workload-submitted'>, at: TimeMs): OpenJob {
    const job: JobRecord = {
      workload,
      type: spec.type,
      tenant: owner.team,
      submittedAt: at,
      gpus: 0,
      state: 'open',
      queuedMs: 0,
      heldMs: 0,
      starts: 0,
      preemptions: 0,
    }
    const open: OpenJob = { job, queuedSince: at, live: 0, gpusAsked: 0, gpusQueued: 0 }
    this.jobs.push(job)
    this.#open.set(workload, open)
    return open
  }

  planned({ workload, attempt, allocation }: Of<'attempt-planned'>, at: TimeMs): OpenJob {
    const open = this.#open.get(workload)!
    const { job } = open
    if (open.live === 0) job.queuedMs += at - open.queuedSince
    open.live++
    job.gpus = Math.max(job.gpus, allocatedGpus(allocation))
    job.firstStartAt ??= at
    job.starts++
    this.#live.set(attempt, { open, plannedAt: at, allocation })
    return open
  }

  attemptEnded({ attempt, endedAt, outcome }: Of<'attempt-ended'>): LiveJob {
    const live = this.#live.get(attempt)!
    this.#live.delete(attempt)
    const { open, plannedAt } = live
    const { job } = open
    open.live--
    if (open.live === 0) open.queuedSince = endedAt
    job.heldMs += endedAt - plannedAt
    if (outcome === 'preempted') job.preemptions++
    return live
  }

  finished({ workload, state }: Of<'workload-finished'>, at: TimeMs): OpenJob {
    const open = this.#open.get(workload)!
    this.#open.delete(workload)
    open.job.endedAt = at
    open.job.state = state
    return open
  }

  record(): JobLogRecord {
    return {
      ended: this.jobs.filter(({ endedAt }) => endedAt !== undefined),
      order: this.jobs.map(({ workload }) => workload),
      open: [...this.#open].map(([workload, open]) => [workload, { ...open, job: { ...open.job } }]),
      live: [...this.#live].map(([attempt, { open, ...live }]) => [attempt, open.job.workload, live]),
    }
  }

  load({ ended, order, open, live }: JobLogRecord): void {
    this.jobs.length = 0
    this.#open.clear()
    this.#live.clear()
    const jobs = new Map(ended.map((job) => [job.workload, job]))
    for (const [workload, record] of open) {
      this.#open.set(workload, { ...record })
      jobs.set(workload, record.job)
    }
    for (const workload of order) this.jobs.push(present(jobs.get(workload), `job ${workload}`))
    for (const [attempt, workload, record] of live)
      this.#live.set(attempt, { ...record, open: present(this.#open.get(workload), `open ${workload}`) })
  }
}
