import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { AttemptId, DurationMs } from '../../base/index.ts'
import { MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type {
  Engine,
  EngineCause,
  EngineFact,
  EngineInventory,
  LaunchOrder,
  LogChunk,
  Observation,
  StopOrder,
} from '../../control/ports/index.ts'
import { LOCAL_LEVELS } from '../../model/index.ts'
import { readRecord, reasonOf, writeDurably } from '../engine-shared/durable-file.ts'
import { assertIsName } from '../engine-shared/engine-folder.ts'
import { FactFeed } from '../engine-shared/fact-feed.ts'
import type { FinishedAttempts } from '../engine-shared/finished-attempts.ts'
import { refusedByMachine } from '../engine-shared/refusals.ts'
import { inheritedEnvironment, taskEnvironment } from '../engine-shared/task-environment.ts'
import { tasksOf } from '../engine-shared/tasks.ts'
import { AttemptFolder, type LaunchRecord } from './attempt-folder.ts'
import { FENCE_VARIABLE } from './attempt-processes.ts'
import { FreePorts } from './free-ports.ts'
import { type AttemptOutlets, LocalAttempt } from './local-attempt.ts'
import { inspectMachine, type Machine } from './machine.ts'

/** How long an observation waits for something to happen. */
const PATIENCE_MS: DurationMs = 20 * SECOND_MS
/** The folders are watched; this finds supervisors that were killed, which nothing announces. */
const LOOK_EVERY_MS: DurationMs = 2 * SECOND_MS
const INSPECT_EVERY_MS: DurationMs = MINUTE_MS

export interface LocalEngineParts {
  readonly live: string
  readonly finished: FinishedAttempts
  readonly slots: number | undefined
  readonly machine: Machine
  readonly logBytesPerTask: number
  readonly log: (message: string) => void
}

/** Runs attempts as processes of this machine. See the README for how they outlive this process. */
export class LocalEngine implements Engine {
  readonly id = 'local'
  readonly #parts: LocalEngineParts
  readonly #attempts = new Map<AttemptId, LocalAttempt>()
  /** Launches under way by attempt, so that a stop that comes meanwhile is not lost. */
  readonly #launching = new Map<AttemptId, Promise<void>>()
  readonly #ports = new FreePorts()
  readonly #feed = new FactFeed(randomUUID(), () => this.#wholePicture())
  readonly #outlets: AttemptOutlets
  readonly #timers: NodeJS.Timeout[] = []
  #machine: Machine

  constructor(parts: LocalEngineParts) {
    this.#parts = parts
    this.#machine = parts.machine
    this.#outlets = { publish: (fact) => this.#feed.publish(fact), log: parts.log }
    this.#timers.push(setInterval(() => this.#lookAtAll(), LOOK_EVERY_MS))
    if (this.#machine.hasGpus) {
      this.#timers.push(setInterval(() => void this.#inspect(), INSPECT_EVERY_MS))
    }
  }

  /** Takes in what earlier processes launched. An order that was never claimed gets its supervisor now. */
  async adopt(): Promise<void> {
    for (const name of await readdir(this.#parts.live)) {
      const folder = new AttemptFolder(join(this.#parts.live, name))
      const record = await readRecord<LaunchRecord>(folder.order)
      if (record) void this.#add(new LocalAttempt(folder, record, this.#outlets)).follow()
      else await rm(folder.path, { recursive: true, force: true })
    }
  }

  async inventory(): Promise<EngineInventory> {
    await this.#inspect()
    return { levels: LOCAL_LEVELS, nodes: [this.#machine.node] }
  }

  async launch(order: LaunchOrder): Promise<void> {
    const { attempt } = order
    if (this.#attempts.has(attempt)) return
    const launching = this.#launching.get(attempt) ?? this.#launch(order)
    this.#launching.set(attempt, launching)
    try {
      await launching
    } finally {
      this.#launching.delete(attempt)
    }
  }

  async stop(attempt: AttemptId, how: StopOrder): Promise<void> {
    if (!(how.signal in constants.signals)) throw new Error(`there is no signal "${how.signal}"`)
    await this.#launching.get(attempt)
    await this.#attempts.get(attempt)?.stop(how)
  }

  async observe(cursor: string | undefined, signal: AbortSignal): Promise<Observation> {
    // What is being launched is neither running nor absent, so the whole picture waits for it.
    if (!this.#feed.knows(cursor)) {
      await Promise.allSettled(this.#launching.values())
      await Promise.all([...this.#attempts.values()].map(({ settled }) => settled))
    }
    return this.#feed.observe(cursor, signal, PATIENCE_MS)
  }

  async logs(attempt: AttemptId, task: number, from: number): Promise<LogChunk> {
    assertIsName(attempt)
    const live = this.#attempts.get(attempt)
    const logs = live && { path: live.folder.path, logs: live.folder.logs, hasEnded: live.hasEnded }
    return this.#parts.finished.readLog(attempt, task, from, logs, () => !this.#launching.has(attempt))
  }

  async forget(attempt: AttemptId): Promise<void> {
    const known = this.#attempts.get(attempt)
    if (!known?.hasEnded) return
    await this.#parts.finished.keep(attempt, known.folder.path)
    this.#attempts.delete(attempt)
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    for (const attempt of this.#attempts.values()) attempt.close()
    this.#feed.close()
  }

  async #launch(order: LaunchOrder): Promise<void> {
    assertIsName(order.attempt)
    if (await this.#parts.finished.has(order.attempt)) return
    const folder = new AttemptFolder(join(this.#parts.live, order.attempt))
    const record = await this.#record(order, folder)
    const attempt = this.#add(new LocalAttempt(folder, record, this.#outlets))
    const refusal = this.#misplaced(order) ?? (await write(folder, record))
    if (refusal) attempt.refuse(refusal)
    else await attempt.follow()
  }

  async #record(order: LaunchOrder, folder: AttemptFolder): Promise<LaunchRecord> {
    const { program } = order
    const tasks = tasksOf(order.allocation, program.tasksPer)
    const [masterPort = 0, ...taskPorts] = await this.#ports.choose(
      1 + (order.needsPort ? tasks.length : 0),
      this.#promisedPorts(),
    )
    const fence = randomUUID()
    const inherited = inheritedEnvironment(process.env)
    const firstPort = taskPorts[0]
    return {
      attempt: order.attempt,
      fence,
      run: program.run,
      workdir: program.workdir,
      ...(order.checkpointDir !== undefined ? { checkpointDir: order.checkpointDir } : {}),
      ...(firstPort !== undefined ? { address: `127.0.0.1:${firstPort}` } : {}),
      ...(order.limitMs !== undefined ? { limitMs: order.limitMs } : {}),
      ports: [masterPort, ...taskPorts],
      logBytesPerTask: this.#parts.logBytesPerTask,
      tasks: tasks.map((task) => {
        const port = taskPorts[task.rank]
        const environment = taskEnvironment(order, task, {
          worldSize: tasks.length,
          masterAddress: '127.0.0.1',
          masterPort,
          progressFile: folder.progress,
          hasGpus: this.#machine.hasGpus,
          ...(port !== undefined ? { port } : {}),
        })
        return {
          rank: task.rank,
          node: task.node,
          environment: { ...inherited, ...environment, [FENCE_VARIABLE]: fence },
        }
      }),
    }
  }

  #misplaced({ allocation }: LaunchOrder): EngineCause | undefined {
    const { id, gpuCount } = this.#machine.node
    if (allocation.parts.length === 0) return refusedByMachine('its allocation is empty')
    for (const { node, gpus } of allocation.parts) {
      if (node !== id) return refusedByMachine(`it was placed on node ${node}, but this machine is ${id}`)
      const beyond = gpus.find((gpu) => gpu >= gpuCount)
      if (beyond !== undefined) {
        return refusedByMachine(`it was placed on GPU ${beyond}, but ${id} has only ${gpuCount}`)
      }
    }
    return undefined
  }

  #add(attempt: LocalAttempt): LocalAttempt {
    this.#attempts.set(attempt.id, attempt)
    return attempt
  }

  #promisedPorts(): Set<number> {
    return new Set([...this.#attempts.values()].flatMap(({ record }) => record.ports))
  }

  #lookAtAll(): void {
    for (const attempt of this.#attempts.values()) {
      if (!attempt.hasEnded) void attempt.look()
    }
  }

  async #inspect(): Promise<void> {
    const before = this.#machine
    this.#machine = await inspectMachine(before.node.id, this.#parts.slots).catch((error: unknown) => ({
      ...before,
      trouble: reasonOf(error),
    }))
    const facts = machineFacts(this.#machine)
    if (JSON.stringify(facts) !== JSON.stringify(machineFacts(before))) {
      const at = Date.now()
      this.#feed.publish(...facts.map((fact) => ({ ...fact, at })))
    }
  }

  #wholePicture(): EngineFact[] {
    const at = Date.now()
    return [
      ...machineFacts(this.#machine).map((fact) => ({ ...fact, at })),
      ...[...this.#attempts.values()].flatMap(({ facts }) => facts),
    ]
  }
}

function machineFacts({ node, trouble }: Machine): EngineFact[] {
  const state: EngineFact =
    trouble === undefined
      ? { kind: 'node-up', node: node.id, at: 0 }
      : { kind: 'node-down', node: node.id, reason: trouble, at: 0 }
  return [{ kind: 'node-present', node, at: 0 }, state]
}

/** Makes the order durable; on failure nothing of it is left that a later process could start. */
async function write(folder: AttemptFolder, record: LaunchRecord): Promise<EngineCause | undefined> {
  try {
    await mkdir(folder.path, { recursive: true, mode: 0o700 })
    await writeDurably(folder.order, JSON.stringify(record))
    return undefined
  } catch (error) {
    await rm(folder.path, { recursive: true, force: true })
    return refusedByMachine(`cannot write its launch record in ${folder.path}: ${reasonOf(error)}`)
  }
}
