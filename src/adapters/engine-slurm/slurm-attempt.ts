import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AttemptId, DurationMs, TimeMs } from '../../base/index.ts'
import { formatDuration, SECOND_MS } from '../../base/index.ts'
import type { EngineCause, EngineFact, StopOrder, TaskExit } from '../../control/ports/index.ts'
import { ProgressFile } from '../engine-shared/progress-file.ts'
import type { AttemptFiles, AttemptRecord } from './attempt-files.ts'
import { endOfJob, endOfTasks, isOver } from './job-end.ts'
import type { SlurmJob, SlurmTransport } from './transport.ts'

/** After the grace of a stop, or the end of its tasks, a job has this long before Slurm is asked to end it. */
const SLACK_MS: DurationMs = 30 * SECOND_MS

/** What one poll of the controller tells of an attempt. */
export interface Sighting {
  /** Its jobs, lowest id first; more than one when an answer of a submission was lost. */
  readonly jobs: readonly SlurmJob[]
  /** Number of the poll, counted from when it was asked. */
  readonly poll: number
  /** Of the attempt's nodes, the one that Slurm lost, with why; looked up only when Slurm says that it lost one. */
  readonly lostNode: (attempt: AttemptRecord) => Promise<{ node: string; why: string } | undefined>
}

/**
 * What this process knows of one attempt: its folder, and its job as the controller last showed it. The attempt ends
 * as soon as its launchers say that its tasks have; its job may need a moment more until Slurm has let go of the nodes.
 */
export class SlurmAttempt {
  readonly id: AttemptId
  readonly files: AttemptFiles
  readonly record: AttemptRecord
  /** The last poll that could not know of the submission yet; none could before it was answered. */
  submittedAtPoll = Number.POSITIVE_INFINITY
  /** Whether there may be a job though no submission was answered. */
  mayBeSubmitted = false
  #job: SlurmJob | undefined
  #isReleased = false
  #running: EngineFact | undefined
  #progress: EngineFact | undefined
  #end: EngineFact | undefined
  #endedAt: TimeMs | undefined
  #waitingSince: TimeMs | undefined
  #turn: Promise<unknown> = Promise.resolve()
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

  /** Whether Slurm holds nothing for it any more and never will. */
  get isReleased(): boolean {
    return this.#isReleased
  }

  get facts(): EngineFact[] {
    const facts = [this.#running, this.#progress, this.#end].filter((fact) => fact !== undefined)
    return facts.length > 0 ? facts : [{ kind: 'attempt-waiting', attempt: this.id }]
  }

  /** Takes in what its launchers have told; the facts that are new. */
  listen(): Promise<EngineFact[]> {
    return this.#inTurn(() => this.#told())
  }

  /** Takes in what a poll showed, and what its launchers have told; the facts that are new. */
  look(sighting: Sighting, transport: SlurmTransport, patienceMs: DurationMs): Promise<EngineFact[]> {
    return this.#inTurn(async () => {
      const job = await this.#own(sighting.jobs, transport)
      if (!job && sighting.poll <= this.submittedAtPoll) return []
      if (job) {
        this.#job = job
        this.submittedAtPoll = Math.min(this.submittedAtPoll, sighting.poll)
      }
      this.#isReleased = sighting.jobs.every(({ state }) => isOver(state))
      if (this.#end) {
        await this.#endRemainder(transport)
        return []
      }
      const facts = job?.state === 'PENDING' ? [] : await this.#told()
      if (this.#end) return facts
      if (!job || isOver(job.state)) facts.push(await this.#finish(job, sighting))
      else if (job.state === 'PENDING') await this.#endPatience(job, transport, patienceMs)
      else await this.#enforceStop(job, transport)
      return facts
    })
  }

  async stop(order: StopOrder, transport: SlurmTransport): Promise<void> {
    if (this.#end) return
    await this.files.writeStop(order)
    // Launchers see the order by themselves; a job that waits for its nodes has none yet.
    if (this.#job?.state === 'PENDING') await transport.cancel(this.#job.id, true)
  }

  /** Ends the attempt as never started: Slurm took no job for it. */
  refuse(cause: EngineCause): EngineFact {
    this.#isReleased = true
    return this.#settle({ exits: [], cause }, Date.now())
  }

  /** One look at a time, so that nothing is told twice. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(work)
    this.#turn = mine.catch(() => {})
    return mine
  }

  async #told(): Promise<EngineFact[]> {
    if (this.#end) return []
    const facts: EngineFact[] = []
    // Asked first, so that all that was told before it is read after it.
    const isOver = await this.files.isOver(this.record)
    if (!this.#running) {
      const running = await this.files.running(this.record)
      if (running) {
        this.#running = { kind: 'attempt-running', attempt: this.id, ...running }
        facts.push(this.#running)
      }
    }
    if (this.#running && (await this.#progressFile.read())) {
      this.#progress = this.#progressFile.factOf(this.id)
      if (this.#progress) facts.push(this.#progress)
    }
    const end = isOver ? endOfTasks(await this.#testimony()) : undefined
    if (end) facts.push(this.#settle(end, lastOf(end)))
    return facts
  }

  async #testimony() {
    const { files, record } = this
    const [stop, exits, refusal] = await Promise.all([
      files.stopOrder(),
      files.exits(record),
      files.refusal(record),
    ])
    return { wasStopped: stop !== undefined, exits, refusal }
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
    if (stop && Date.now() > stop.at + stop.graceMs + SLACK_MS) await transport.cancel(job.id, false)
  }

  /** What is left of the job holds the nodes for nothing. */
  async #endRemainder(transport: SlurmTransport): Promise<void> {
    if (this.#isReleased || !this.#job || this.#endedAt === undefined) return
    if (performance.now() > this.#endedAt + SLACK_MS) await transport.cancel(this.#job.id, false)
  }

  async #finish(job: SlurmJob | undefined, sighting: Sighting): Promise<EngineFact> {
    const lost =
      job && /^(?:NODE_FAIL|BOOT_FAIL)$/.test(job.state) ? await sighting.lostNode(this.record) : undefined
    const words = await this.files.jobWords()
    const end = endOfJob({ job, lost, words, ...(await this.#testimony()) })
    // Whatever of it is out of Slurm's reach sees this and ends itself.
    await this.files.writeStop({ signal: 'SIGKILL', graceMs: 0 })
    return this.#settle(end, lastOf(end))
  }

  #settle(
    { exits, cause }: { exits: readonly TaskExit[]; cause?: EngineCause | undefined },
    at: TimeMs,
  ): EngineFact {
    this.#endedAt = performance.now()
    this.#end = { kind: 'attempt-ended', attempt: this.id, at, exits, ...(cause ? { cause } : {}) }
    return this.#end
  }
}

function lastOf({ exits }: { readonly exits: readonly TaskExit[] }): TimeMs {
  return Math.max(0, ...exits.map((exit) => exit.at)) || Date.now()
}
