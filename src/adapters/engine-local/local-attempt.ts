import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type FSWatcher, watch } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AttemptId, DurationMs } from '../../base/index.ts'
import { SECOND_MS } from '../../base/index.ts'
import type { EngineCause, EngineFact, StopOrder } from '../../control/ports/index.ts'
import { codeOf, readRecord, reasonOf, writeDurably } from '../engine-shared/durable-file.ts'
import { ProgressFile } from '../engine-shared/progress-file.ts'
import { refusedByMachine } from '../engine-shared/refusals.ts'
import type { AttemptFolder, EndRecord, LaunchRecord, RunningRecord } from './attempt-folder.ts'
import { processesOf, sendSignal } from './attempt-processes.ts'
import { isAlive, type ProcessIdentity } from './process-identity.ts'
import { spawnSupervisor } from './spawn-supervisor.ts'

const PROGRESS_EVERY_MS: DurationMs = SECOND_MS
const SHORTEST_WAIT_MS: DurationMs = 20
const LONGEST_WAIT_MS: DurationMs = 500
const SUPERVISOR_LOG_CHARACTERS = 500

/** Where an attempt says what it found. */
export interface AttemptOutlets {
  publish(fact: EngineFact): void
  /** For the operator: trouble that is no fact about the attempt. */
  log(message: string): void
}

/**
 * What this process knows of one attempt, read from its folder. It starts a supervisor where none has claimed the
 * attempt, and takes over the duty of a supervisor that was killed: to end what is left and say so.
 */
export class LocalAttempt {
  readonly id: AttemptId
  readonly folder: AttemptFolder
  readonly record: LaunchRecord
  /** Fulfilled when the tasks run or the attempt has ended. */
  readonly settled: Promise<void>
  readonly #outlets: AttemptOutlets
  readonly #progressFile: ProgressFile
  #supervisor: ChildProcess | undefined
  #claim: ProcessIdentity | undefined
  #running: EngineFact | undefined
  #progress: EngineFact | undefined
  #end: EngineFact | undefined
  #watcher: FSWatcher | undefined
  #looking: Promise<void> | undefined
  #mustLookAgain = false
  #isProgressUnpublished = false
  #progressPublishedAt = Number.NEGATIVE_INFINITY
  #progressTimer: NodeJS.Timeout | undefined
  #isClosed = false
  #settle: () => void = () => {}

  constructor(folder: AttemptFolder, record: LaunchRecord, outlets: AttemptOutlets) {
    this.id = record.attempt
    this.folder = folder
    this.record = record
    this.#outlets = outlets
    this.#progressFile = new ProgressFile(folder.progress, record.checkpointDir)
    this.settled = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  get hasEnded(): boolean {
    return this.#end !== undefined
  }

  /** Everything known, as facts. */
  get facts(): EngineFact[] {
    return [this.#running, this.#progress, this.#end].filter((fact) => fact !== undefined)
  }

  /** Follows the folder from now on, and sees to it that somebody runs the attempt. */
  follow(): Promise<void> {
    const files = [this.folder.claim, this.folder.running, this.folder.end, this.folder.progress]
    const names = new Set(files.map((file) => basename(file)))
    try {
      this.#watcher = watch(this.folder.path, (_, name) => {
        if (name === null || names.has(name)) void this.look()
      })
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      // Out of watches: the engine looks from time to time anyway.
    }
    return this.look()
  }

  /** Reads what is new in the folder. Calls during a look lead to one more look. */
  look(): Promise<void> {
    if (this.#looking) {
      this.#mustLookAgain = true
      return this.#looking
    }
    this.#looking = this.#lookUntilQuiet().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async stop(order: StopOrder): Promise<void> {
    if (this.#end) return
    await this.#writeStopOrder(JSON.stringify(order))
    const claim = await readRecord<ProcessIdentity>(this.folder.claim)
    if (claim && isAlive(claim)) sendSignal(claim.pid, 'SIGUSR2')
  }

  /** Ends the attempt as never started: nothing of it is on disk, or the caller knows that nothing ever ran. */
  refuse(cause: EngineCause): void {
    this.#finish({ at: Date.now(), exits: [], cause })
  }

  close(): void {
    this.#isClosed = true
    this.#watcher?.close()
    clearTimeout(this.#progressTimer)
  }

  async #lookUntilQuiet(): Promise<void> {
    do {
      this.#mustLookAgain = false
      try {
        await this.#look()
      } catch (error) {
        // Whatever hinders reading may pass; the engine looks again soon.
        this.#outlets.log(`attempt ${this.id}: ${reasonOf(error)}; trying again soon`)
      }
    } while (this.#mustLookAgain)
    // Only now, so that whoever waited sees all that the folder tells.
    if (this.#running || this.#end) this.#settle()
  }

  async #look(): Promise<void> {
    if (this.#end || this.#isClosed) return
    // Read before anything else: what the supervisor did before it died is then on disk.
    this.#claim ??= await readRecord<ProcessIdentity>(this.folder.claim)
    const isSupervised = this.#claim ? isAlive(this.#claim) : isRunning(this.#supervisor)
    const end = await readRecord<EndRecord>(this.folder.end)
    await this.#readRunning()
    await this.#readProgress(end !== undefined)
    if (end) this.#finish(end)
    else if (isSupervised) return
    else if (this.#claim) await this.#takeOver(this.#claim)
    else if (this.#supervisor) await this.#withdraw()
    else await this.#supervise()
  }

  async #readRunning(): Promise<void> {
    if (this.#running) return
    const running = await readRecord<RunningRecord>(this.folder.running)
    if (!running) return
    const { address } = this.record
    this.#running = {
      kind: 'attempt-running',
      attempt: this.id,
      at: running.at,
      ...(address !== undefined ? { address } : {}),
    }
    this.#outlets.publish(this.#running)
  }

  async #readProgress(isLast: boolean): Promise<void> {
    const waitMs = this.#progressPublishedAt + PROGRESS_EVERY_MS - performance.now()
    if (waitMs > 0 && !isLast) {
      this.#progressTimer ??= setTimeout(() => {
        this.#progressTimer = undefined
        void this.look()
      }, waitMs)
      return
    }
    if (await this.#progressFile.read()) this.#isProgressUnpublished = true
    const progress = this.#isProgressUnpublished ? this.#progressFile.factOf(this.id) : undefined
    if (!progress) return
    this.#isProgressUnpublished = false
    this.#progressPublishedAt = performance.now()
    this.#progress = progress
    this.#outlets.publish(progress)
  }

  async #supervise(): Promise<void> {
    const supervisor = spawnSupervisor(this.folder)
    supervisor.once('exit', () => void this.look())
    await once(supervisor, 'spawn')
    this.#supervisor = supervisor
  }

  /** A supervisor ended before it claimed the attempt. Without its order no other can start it any more. */
  async #withdraw(): Promise<void> {
    await rm(this.folder.order, { force: true })
    this.#claim = await readRecord<ProcessIdentity>(this.folder.claim)
    if (this.#claim) {
      this.#mustLookAgain = true
      return
    }
    this.refuse(refusedByMachine(`its supervisor failed${await this.#lastWords()}`))
  }

  async #lastWords(): Promise<string> {
    const said = (await readFile(this.folder.supervisorLog, 'utf8').catch(() => '')).trim()
    return said === '' ? '' : `: ${said.slice(-SUPERVISOR_LOG_CHARACTERS)}`
  }

  /** The supervisor is dead and left no end: everything of the attempt is ended, then that is recorded. */
  async #takeOver(supervisor: ProcessIdentity): Promise<void> {
    const end = await readRecord<EndRecord>(this.folder.end)
    if (end) return this.#finish(end)
    const traces = { fence: this.record.fence, leaders: [], seen: [] }
    let waitMs = SHORTEST_WAIT_MS
    for (let left = processesOf(traces); left.length > 0; left = processesOf(traces)) {
      for (const { pid } of left) sendSignal(pid, 'SIGKILL')
      await sleep(waitMs)
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)
    }
    const { pid } = supervisor
    const message = `its supervisor (process ${pid}) was ended from outside or by a restart of the machine${await this.#lastWords()}`
    const cause: EngineCause = { kind: 'engine-restarted', message, blame: 'platform' }
    const record: EndRecord = { at: Date.now(), exits: [], cause }
    await writeDurably(this.folder.end, JSON.stringify(record))
    this.#finish(record)
  }

  #finish({ at, exits, cause }: EndRecord): void {
    this.#end = { kind: 'attempt-ended', attempt: this.id, at, exits, ...(cause ? { cause } : {}) }
    this.#outlets.publish(this.#end)
    this.#settle()
    this.close()
  }

  async #writeStopOrder(text: string): Promise<void> {
    try {
      await writeDurably(this.folder.stop, text)
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC') throw error
      await rm(this.folder.ballast, { force: true })
      await writeDurably(this.folder.stop, text)
    }
  }
}

function isRunning(child: ChildProcess | undefined): boolean {
  return child !== undefined && child.exitCode === null && child.signalCode === null
}
