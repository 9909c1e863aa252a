import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AttemptId, DurationMs, TimeMs } from '../../base/index.ts'
import { formatDuration, SECOND_MS } from '../../base/index.ts'
import type { EngineCause, EngineFact, StopOrder, TaskExit } from '../../control/ports/index.ts'
import { ProgressFile } from '../engine-shared/progress-file.ts'
import type { AttemptFiles, AttemptRecord } from './attempt-files.ts'
import { endOfJob, isOver } from './job-end.ts'
import type { SlurmJob, SlurmTransport } from './transport.ts'

/** After the grace of a stop the launchers have this long before Slurm is asked to end the job itself. */
const STOP_SLACK_MS: DurationMs = 30 * SECOND_MS

/** What one poll of the controller tells of an attempt. */
export interface Sighting {
  /** Its jobs, lowest id first; more than one when an answer of a submission was lost. */
  readonly jobs: readonly SlurmJob[]
  /** Number of the poll, counted from when it was asked. */
  readonly poll: number
  /** Of the attempt's nodes, the one that Slurm lost, with why; looked up only when Slurm says that it lost one. */
  readonly lostNode: (attempt: AttemptRecord) => Promise<{ node: string; why: string } | undefined>
}

/** What this process knows of one attempt: its folder, and its job as the controller last showed it. */
export class SlurmAttempt {
  readonly id: AttemptId
  readonly files: AttemptFiles
  readonly record: AttemptRecord
  /** The last poll that could not know of the submission yet. */
  submittedAtPoll = Number.POSITIVE_INFINITY
  #job: SlurmJob | undefined
  #running: EngineFact | undefined
  #progress: EngineFact | undefined
  #end: EngineFact | undefined
  #waitingSince: TimeMs | undefined
  readonly #progressFile: ProgressFile

  constructor(files: AttemptFiles, record: AttemptRecord) {
    this.id = record.order.attempt
    this.files = files
    this.record = record
    this.#progressFile = new ProgressFile(files.progress, record.order.checkpointDir)
  }

  get hasEnded(): boolean {
    return this.#end !== undefined
  }

  get job(): SlurmJob | undefined {
    return this.#job
  }

  /** Whether its job may hold what it asked for. */
  get mayHold(): boolean {
    return !this.#end && this.#job !== undefined
  }

  get facts(): EngineFact[] {
    const facts = [this.#running, this.#progress, this.#end].filter((fact) => fact !== undefined)
    return facts.length > 0 ? facts : [{ kind: 'attempt-waiting', attempt: this.id }]
  }

  /** Takes in what a poll showed; the facts that are new. */
  async look(sighting: Sighting, transport: SlurmTransport, patienceMs: DurationMs): Promise<EngineFact[]> {
    if (this.#end) return []
    const job = await this.#own(sighting.jobs, transport)
    if (!job && sighting.poll <= this.submittedAtPoll) return []
    const facts: EngineFact[] = []
    if (job) this.#job = job
    if (!this.#running && job?.state !== 'PENDING') {
      const running = await this.files.running(this.record)
      if (running) {
        this.#running = { kind: 'attempt-running', attempt: this.id, ...running }
        facts.push(this.#running)
      }
    }
    if (this.#running && (await this.#progressFile.read()) && this.#progressFile.report) {
      this.#progress = { kind: 'attempt-progress', attempt: this.id, ...this.#progressFile.report }
      facts.push(this.#progress)
    }
    if (!job || isOver(job.state)) facts.push(await this.#finish(job, sighting))
    else if (job.state === 'PENDING') await this.#endPatience(job, transport, patienceMs)
    else await this.#enforceStop(job, transport)
    return facts
  }

  async stop(order: StopOrder, transport: SlurmTransport): Promise<void> {
    if (this.#end) return
    await this.files.writeStop(order)
    // Launchers see the order by themselves; a job that waits for its nodes has none yet.
    const waits = this.#job === undefined || this.#job.state === 'PENDING'
    if (waits && this.#job) await transport.cancel(this.#job.id, true)
  }

  /** Ends the attempt as never started: Slurm took no job for it. */
  refuse(cause: EngineCause): EngineFact {
    return this.#settle({ exits: [], cause }, Date.now())
  }

  /** The job that runs the attempt or will; rivals that came of a lost answer are withdrawn. */
  async #own(jobs: readonly SlurmJob[], transport: SlurmTransport): Promise<SlurmJob | undefined> {
    if (jobs.length <= 1) return jobs[0]
    const claimed = await this.files.claim()
    const own = jobs.find(({ id }) => id === claimed) ?? jobs.find(({ state }) => !isOver(state)) ?? jobs[0]
    for (const rival of jobs) {
      if (rival !== own && rival.state === 'PENDING') await transport.cancel(rival.id, true)
    }
    return own
  }

  /** Others may hold the nodes that Banyan took for free: then the scheduler must choose again. */
  async #endPatience(job: SlurmJob, transport: SlurmTransport, patienceMs: DurationMs): Promise<void> {
    const now = Date.now()
    if (await this.files.stopOrder()) return transport.cancel(job.id, true)
    this.#waitingSince ??= now
    if (now - this.#waitingSince < patienceMs) return
    const nodes = this.record.order.allocation.parts.map(({ node }) => node).join(', ')
    const message = `Slurm did not start job ${job.id} on ${nodes} within ${formatDuration(patienceMs)}: ${job.reason || 'no reason given'}`
    await writeFile(join(this.files.path, 'refused'), `platform ${message}\n`)
    await transport.cancel(job.id, true)
  }

  async #enforceStop(job: SlurmJob, transport: SlurmTransport): Promise<void> {
    this.#waitingSince = undefined
    const stop = await this.files.stopOrder()
    if (stop && Date.now() > stop.at + stop.graceMs + STOP_SLACK_MS) await transport.cancel(job.id, false)
  }

  async #finish(job: SlurmJob | undefined, sighting: Sighting): Promise<EngineFact> {
    const wasStopped = (await this.files.stopOrder()) !== undefined
    const lost =
      job && /^(?:NODE_FAIL|BOOT_FAIL)$/.test(job.state) ? await sighting.lostNode(this.record) : undefined
    const end = endOfJob({
      job,
      wasStopped,
      lost,
      exits: await this.files.exits(this.record),
      refusal: await this.files.refusal(this.record),
      words: await this.files.jobWords(),
    })
    // Whatever of it is out of Slurm's reach sees this and ends itself.
    await this.files.writeStop({ signal: 'SIGKILL', graceMs: 0 })
    const at = Math.max(0, ...end.exits.map((exit) => exit.at)) || Date.now()
    return this.#settle(end, at)
  }

  #settle(
    { exits, cause }: { exits: readonly TaskExit[]; cause?: EngineCause | undefined },
    at: TimeMs,
  ): EngineFact {
    this.#end = { kind: 'attempt-ended', attempt: this.id, at, exits, ...(cause ? { cause } : {}) }
    return this.#end
  }
}
