import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, rmSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DurationMs } from '../../base/index.ts'
import { formatDuration, MINUTE_MS, present, SECOND_MS } from '../../base/index.ts'
import type { EngineCause, StopOrder, TaskExit } from '../../control/ports/index.ts'
import { codeOf, readRecord, reasonOf, writeDurably } from '../engine-shared/durable-file.ts'
import { refusedByMachine, refusedByUser } from '../engine-shared/refusals.ts'
import { shellArguments } from '../engine-shared/shell-arguments.ts'
import { TaskLogWriter } from '../engine-shared/task-log.ts'
import type { AttemptFolder, EndRecord, LaunchRecord, RunningRecord, TaskOrder } from './attempt-folder.ts'
import { processesOf, sendSignal } from './attempt-processes.ts'
import { openPipe } from './pipe.ts'
import { prepare } from './prepare.ts'
import { type ProcessIdentity, statOf } from './process-identity.ts'

/** After the first failure the others may end by themselves this long, so that the record shows who failed when. */
const GANG_SETTLE_MS: DurationMs = 250
const GANG_STOP: StopOrder = { signal: 'SIGTERM', graceMs: 5 * SECOND_MS }
/** What a program left running behind it when it ended by itself. */
const LEFTOVERS_STOP: StopOrder = { signal: 'SIGTERM', graceMs: 2 * SECOND_MS }
/** The control plane enforces the limit itself; this is for when it is not there. */
const LIMIT_SLACK_MS: DurationMs = MINUTE_MS
const LIMIT_STOP: StopOrder = { signal: 'SIGTERM', graceMs: 30 * SECOND_MS }
const LONGEST_TIMER_MS: DurationMs = 2 ** 31 - 1
/** How long the last output may take to arrive when nothing is left that could write it. */
const DRAIN_MS: DurationMs = 5 * SECOND_MS
const SHORTEST_SCAN_MS: DurationMs = 20
const LONGEST_SCAN_MS: DurationMs = 500
const DISK_RETRY_MS: DurationMs = SECOND_MS
/** Of a log's end, when the disk is full. */
const SHORT_TAIL_CHARACTERS = 1024
/** Badness for the kernel when memory runs out: a task goes before the server and its supervisors. */
const TASK_OOM_SCORE = '300'

interface RunningTask {
  readonly order: TaskOrder
  readonly pid: number
  readonly log: TaskLogWriter
  readonly drained: Promise<void>
  exit?: Omit<TaskExit, 'logTail'>
}

/** Starts the tasks of one attempt, sees how they end, ends them when told or when one fails, and records the end. */
export class Supervision {
  readonly #folder: AttemptFolder
  readonly #record: LaunchRecord
  readonly #tasks: RunningTask[] = []
  /** Processes that outlived their task, while the gang goes on. */
  #strays: ProcessIdentity[] = []
  #takesOrders = false
  #order: StopOrder | undefined
  #isStopping = false
  /** By the monotonic clock. */
  #killAt = Number.POSITIVE_INFINITY
  #cause: EngineCause | undefined
  #onAllExited: () => void = () => {}

  constructor(folder: AttemptFolder, record: LaunchRecord) {
    this.#folder = folder
    this.#record = record
  }

  async run(): Promise<void> {
    if (await readRecord<StopOrder>(this.#folder.stop)) {
      return this.#writeEnd(this.#record.tasks.map(neverStarted))
    }
    this.#cause = (await prepare(this.#folder, this.#record)) ?? (await this.#startAll())
    if (this.#cause) {
      await this.#endLeftovers({ signal: 'SIGKILL', graceMs: 0 })
      return this.#writeEnd([])
    }
    const running: RunningRecord = { at: Date.now(), pids: this.#tasks.map(({ pid }) => pid) }
    void this.#writeWhenPossible(this.#folder.running, () => JSON.stringify(running))
    this.#watchLimit()
    // An order that came while the tasks were being started counts for all of them.
    this.#takesOrders = true
    await this.readStopOrder()
    await this.#allExited()
    await this.#endLeftovers(LEFTOVERS_STOP)
    await Promise.race([Promise.all(this.#tasks.map(({ drained }) => drained)), sleep(DRAIN_MS)])
    await this.#writeEnd(this.#tasks.map(exitOf))
  }

  /** Takes in the newest stop order; the same order twice changes nothing. */
  async readStopOrder(): Promise<void> {
    const order = this.#takesOrders ? await readRecord<StopOrder>(this.#folder.stop) : undefined
    if (!order || (order.signal === this.#order?.signal && order.graceMs === this.#order.graceMs)) return
    this.#order = order
    this.#stop(order)
  }

  async #startAll(): Promise<EngineCause | undefined> {
    try {
      for (const order of this.#record.tasks) await this.#start(order)
      return undefined
    } catch (error) {
      const message = `cannot start task ${this.#tasks.length}: ${reasonOf(error)}`
      if (codeOf(error) !== 'E2BIG') return refusedByMachine(message)
      return refusedByUser(`${message}; its command and its environment are too long`)
    }
  }

  async #start(order: TaskOrder): Promise<void> {
    const log = new TaskLogWriter(this.#folder.logs, order.rank, this.#record.logBytesPerTask)
    const pipe = openPipe(join(this.#folder.path, `output-${order.rank}`))
    const output = new Socket({ fd: pipe.reader, readable: true, writable: false })
    const drained = new Promise<void>((resolve) => output.on('close', () => resolve()))
    output.on('data', (chunk: Buffer) => log.write(chunk))
    output.on('error', () => output.destroy())
    try {
      const child = spawn('/bin/sh', shellArguments(this.#record.run), {
        cwd: this.#record.workdir,
        env: order.environment,
        detached: true,
        stdio: ['ignore', pipe.writer, pipe.writer],
      })
      child.once('exit', (exitCode, signal) => this.#exited(order, exitCode, signal))
      await once(child, 'spawn')
      this.#tasks.push({ order, pid: present(child.pid, 'pid of a started task'), log, drained })
      preferForOutOfMemory(child.pid)
    } finally {
      closeSync(pipe.writer)
    }
  }

  #exited(order: TaskOrder, exitCode: number | null, signal: NodeJS.Signals | null): void {
    const task = present(
      this.#tasks.find((running) => running.order === order),
      `task ${order.rank}`,
    )
    task.exit = {
      task: order.rank,
      node: order.node,
      ...(exitCode !== null ? { exitCode } : {}),
      ...(signal !== null ? { signal } : {}),
      at: Date.now(),
      stopped: this.#isStopping,
    }
    this.#strays = processesOf({ fence: this.#record.fence, leaders: [task.pid], seen: this.#strays })
    const isLast = this.#tasks.length === this.#record.tasks.length && this.#tasks.every(({ exit }) => exit)
    if (isLast) this.#onAllExited()
    else if (exitCode !== 0 && !this.#isStopping) setTimeout(() => this.#stopGang(), GANG_SETTLE_MS)
  }

  #allExited(): Promise<void> {
    if (this.#tasks.every(({ exit }) => exit)) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onAllExited = resolve
    })
  }

  #stopGang(): void {
    if (!this.#isStopping && this.#tasks.some(({ exit }) => !exit)) this.#stop(GANG_STOP)
  }

  /** A later order may ask for another signal and shorten the grace, never lengthen it. */
  #stop({ signal, graceMs }: StopOrder): void {
    this.#isStopping = true
    const groups = this.#leaders()
    for (const group of groups) {
      sendSignal(-group, signal)
      sendSignal(-group, 'SIGCONT')
    }
    for (const { pid } of this.#processes()) {
      if (!groups.includes(statOf(pid)?.group ?? 0)) sendSignal(pid, signal)
    }
    const killAt = performance.now() + graceMs
    if (killAt >= this.#killAt) return
    this.#killAt = killAt
    this.#killWhenDue()
  }

  #killWhenDue(): void {
    const leftMs = this.#killAt - performance.now()
    // Timers may fire a moment early.
    if (leftMs > 0) setTimeout(() => this.#killWhenDue(), Math.min(leftMs + 1, LONGEST_TIMER_MS)).unref()
    else for (const { pid } of this.#processes()) sendSignal(pid, 'SIGKILL')
  }

  /** Returns when nothing of the attempt is alive, however long that takes: a process stuck in a driver still holds its GPU. */
  async #endLeftovers(how: StopOrder): Promise<void> {
    let left = this.#processes()
    if (left.length > 0 && !this.#isStopping) this.#stop(how)
    for (let waitMs = SHORTEST_SCAN_MS; left.length > 0; waitMs = Math.min(2 * waitMs, LONGEST_SCAN_MS)) {
      if (performance.now() >= this.#killAt) for (const { pid } of left) sendSignal(pid, 'SIGKILL')
      await sleep(waitMs)
      left = this.#processes()
    }
  }

  #leaders(): number[] {
    return this.#tasks.filter(({ exit }) => !exit).map(({ pid }) => pid)
  }

  #processes(): ProcessIdentity[] {
    return processesOf({ fence: this.#record.fence, leaders: this.#leaders(), seen: this.#strays })
  }

  #watchLimit(): void {
    const { limitMs } = this.#record
    if (limitMs === undefined) return
    const endAt = performance.now() + limitMs + LIMIT_SLACK_MS
    const look = () => {
      const leftMs = endAt - performance.now()
      if (leftMs > 0) {
        setTimeout(look, Math.min(leftMs, LONGEST_TIMER_MS)).unref()
      } else if (!this.#isStopping) {
        const message = `ran longer than its limit of ${formatDuration(limitMs)}`
        this.#cause = { kind: 'time-limit', message, blame: 'user' }
        this.#stop(LIMIT_STOP)
      }
    }
    look()
  }

  async #writeEnd(exits: readonly TaskExit[]): Promise<void> {
    for (const { log } of this.#tasks) log.close()
    const end: EndRecord = { at: Date.now(), exits, ...(this.#cause ? { cause: this.#cause } : {}) }
    await this.#writeWhenPossible(this.#folder.end, (isTight) =>
      JSON.stringify(isTight ? shortened(end) : end),
    )
    rmSync(this.#folder.ballast, { force: true })
  }

  /** On a full disk the ballast makes room, and if that is not enough the wait for room is as long as it takes. */
  async #writeWhenPossible(path: string, text: (isTight: boolean) => string): Promise<void> {
    for (let isTight = false; ; isTight = true) {
      try {
        return await writeDurably(path, text(isTight))
      } catch (error) {
        // The whole folder was deleted: nobody is left to be told.
        if (codeOf(error) === 'ENOENT') return
        console.error(`${path}: ${reasonOf(error)}; trying again`)
        rmSync(this.#folder.ballast, { force: true })
        await sleep(isTight ? DISK_RETRY_MS : 0)
      }
    }
  }
}

function exitOf(task: RunningTask): TaskExit {
  return { ...present(task.exit, `exit of task ${task.order.rank}`), logTail: task.log.tail }
}

function neverStarted({ rank, node }: TaskOrder): TaskExit {
  return { task: rank, node, at: Date.now(), logTail: '', stopped: true }
}

function shortened(end: EndRecord): EndRecord {
  return {
    ...end,
    exits: end.exits.map((exit) => ({ ...exit, logTail: exit.logTail.slice(-SHORT_TAIL_CHARACTERS) })),
  }
}

function preferForOutOfMemory(pid: number | undefined): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, TASK_OOM_SCORE)
  } catch {
    // Only a preference, and other systems have none.
  }
}
