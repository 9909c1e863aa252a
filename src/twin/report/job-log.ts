import type { AttemptId, TimeMs, WorkloadId } from '../../base/index.ts'
import { present } from '../../base/index.ts'
import type { LoggedEvent } from '../../control/index.ts'
import { allocatedGpus, type WorkloadType } from '../../model/index.ts'
import type { Observer } from '../world/world.ts'

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
  platformFailures: number
}

interface OpenRecord {
  readonly job: JobRecord
  queuedSince: TimeMs
  live: number
}

interface LiveRecord {
  readonly open: OpenRecord
  readonly plannedAt: TimeMs
}

/** The log in the middle of a run, as plain data. */
export interface JobLogRecord {
  readonly ended: readonly JobRecord[]
  readonly order: readonly WorkloadId[]
  readonly open: readonly (readonly [WorkloadId, OpenRecord])[]
  readonly live: readonly (readonly [AttemptId, WorkloadId, TimeMs])[]
}

/** Keeps the record of every workload. It knows nothing but the events. */
export class JobLog implements Observer {
  readonly jobs: JobRecord[] = []
  readonly #open = new Map<WorkloadId, OpenRecord>()
  readonly #live = new Map<AttemptId, LiveRecord>()

  readonly onEvents = (events: readonly LoggedEvent[]): void => {
    for (const logged of events) this.#take(logged)
  }

  record(): JobLogRecord {
    return {
      ended: this.jobs.filter(({ endedAt }) => endedAt !== undefined),
      order: this.jobs.map(({ workload }) => workload),
      open: [...this.#open].map(([workload, open]) => [workload, { ...open, job: { ...open.job } }]),
      live: [...this.#live].map(([attempt, { open, plannedAt }]) => [attempt, open.job.workload, plannedAt]),
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
    for (const [attempt, workload, plannedAt] of live)
      this.#live.set(attempt, { open: present(this.#open.get(workload), `open ${workload}`), plannedAt })
  }

  #take({ at, event }: LoggedEvent): void {
    switch (event.kind) {
      case 'workload-submitted': {
        const job: JobRecord = {
          workload: event.workload,
          type: event.spec.type,
          tenant: event.owner.team,
          submittedAt: at,
          gpus: 0,
          state: 'open',
          queuedMs: 0,
          heldMs: 0,
          starts: 0,
          preemptions: 0,
          platformFailures: 0,
        }
        this.jobs.push(job)
        this.#open.set(event.workload, { job, queuedSince: at, live: 0 })
        return
      }
      case 'attempt-planned': {
        const open = this.#open.get(event.workload)!
        const { job } = open
        if (open.live === 0) job.queuedMs += at - open.queuedSince
        open.live++
        job.gpus = Math.max(job.gpus, allocatedGpus(event.allocation))
        job.firstStartAt ??= at
        job.starts++
        this.#live.set(event.attempt, { open, plannedAt: at })
        return
      }
      case 'attempt-ended': {
        const { open, plannedAt } = this.#live.get(event.attempt)!
        this.#live.delete(event.attempt)
        const { job } = open
        open.live--
        if (open.live === 0) open.queuedSince = event.endedAt
        job.heldMs += event.endedAt - plannedAt
        if (event.outcome === 'preempted') job.preemptions++
        if (event.outcome === 'platform-failure') job.platformFailures++
        return
      }
      case 'workload-finished': {
        const { job } = this.#open.get(event.workload)!
        this.#open.delete(event.workload)
        job.endedAt = at
        job.state = event.state
        return
      }
      default:
        return
    }
  }
}
