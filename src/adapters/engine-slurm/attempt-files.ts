import { mkdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DurationMs, NodeId, TimeMs } from '../../base/index.ts'
import { present } from '../../base/index.ts'
import type { EngineCause, LaunchOrder, StopOrder, TaskExit } from '../../control/ports/index.ts'
import { codeOf, writeDurably } from '../engine-shared/durable-file.ts'
import { refusedByMachine, refusedByUser } from '../engine-shared/refusals.ts'
import { shellArguments } from '../engine-shared/shell-arguments.ts'
import { inheritedEnvironment, taskEnvironment } from '../engine-shared/task-environment.ts'
import { LOG_SEGMENTS, readLogTail } from '../engine-shared/task-log.ts'
import { type Task, tasksOf } from '../engine-shared/tasks.ts'
import { readTail } from './log-tail.ts'
import { shellQuoted } from './shell-quoted.ts'

/** What stands in `order.json`: all that a later server needs to know of an attempt. */
export interface AttemptRecord {
  readonly order: LaunchOrder
  readonly hasGpus: boolean
  readonly addresses: Readonly<Record<NodeId, string>>
}

/** What launchers are told besides the order. */
export interface LauncherSettings {
  /** Marks every process of this attempt. */
  readonly fence: string
  /** The file that they leave when they have told something. */
  readonly news: string
  readonly logBytesPerTask: number
}

interface Running {
  readonly at: TimeMs
  readonly address?: string
}

/** The folder of one attempt on the file system that the nodes share. `launcher.sh` has the other half of it. */
export class AttemptFiles {
  readonly path: string
  constructor(path: string) {
    this.path = path
  }

  get order(): string {
    return join(this.path, 'order.json')
  }
  get progress(): string {
    return join(this.path, 'progress.jsonl')
  }
  get logs(): string {
    return join(this.path, 'logs')
  }
  get jobOutput(): string {
    return join(this.path, 'job.out')
  }

  /** Writes what the launchers read, and last, durably, the order itself. */
  async prepare(record: AttemptRecord, settings: LauncherSettings): Promise<void> {
    const { order } = record
    const folders = ['logs', 'up', 'exits', 'over']
    await Promise.all(folders.map((name) => mkdir(join(this.path, name), { recursive: true, mode: 0o700 })))
    const tasks = tasksOf(order.allocation, order.program.tasksPer)
    const told = [
      ...order.allocation.parts.map(({ node }, nodeRank) => {
        const own = tasks.filter((task) => task.nodeRank === nodeRank)
        return { name: `node-${node}.sh`, text: nodeFile(record, node, nodeRank, own, settings) }
      }),
      ...tasks.map((task) => ({
        name: `task-${task.rank}.sh`,
        text: exportsOf(record, task, tasks.length, this.progress),
      })),
    ]
    await Promise.all(told.map(({ name, text }) => writeFile(join(this.path, name), text, { mode: 0o600 })))
    await writeDurably(this.order, JSON.stringify(record))
  }

  async writeStop({ signal, graceMs }: StopOrder): Promise<void> {
    await writeDurably(join(this.path, 'stop'), `${signal.replace(/^SIG/, '')} ${Math.round(graceMs)}\n`)
  }

  async stopOrder(): Promise<{ readonly at: TimeMs; readonly graceMs: DurationMs } | undefined> {
    const path = join(this.path, 'stop')
    const text = await readText(path)
    if (text === undefined) return undefined
    return { at: (await stat(path)).mtimeMs, graceMs: Number(text.split(' ')[1]) }
  }

  /** The one job that may run this attempt; undefined before any has begun. */
  async claim(): Promise<number | undefined> {
    try {
      return Number(await readlink(join(this.path, 'claim')))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  /** When all launchers have started their tasks; undefined before. */
  async running({ order, addresses }: AttemptRecord): Promise<Running | undefined> {
    let at = 0
    let port: string | undefined
    for (const nodeRank of order.allocation.parts.keys()) {
      const text = await readText(join(this.path, 'up', String(nodeRank)))
      if (text === undefined) return undefined
      const [upAt, firstPort] = text.trim().split(' ')
      at = Math.max(at, Number(upAt))
      if (nodeRank === 0) port = firstPort
    }
    const first = present(order.allocation.parts[0], 'first part').node
    return port ? { at, address: `${addresses[first] ?? first}:${port}` } : { at }
  }

  /** Whether every launcher has said that nothing of its tasks is left. */
  async isOver({ order }: AttemptRecord): Promise<boolean> {
    const parts = [...order.allocation.parts.keys()]
    const told = await Promise.all(
      parts.map((nodeRank) => readText(join(this.path, 'over', String(nodeRank)))),
    )
    return told.every((text) => text !== undefined)
  }

  /** Why a launcher did not start its tasks. */
  async refusal({ order }: AttemptRecord): Promise<EngineCause | undefined> {
    const text = await readText(join(this.path, 'refused'))
    if (text === undefined) return undefined
    const [, blame, message = ''] = /^(user|platform) ([\s\S]*)$/.exec(text.trim()) ?? []
    if (blame === 'user') return refusedByUser(message)
    // Of several nodes nobody knows which one it was.
    const [first, ...others] = order.allocation.parts
    const node = first && others.length === 0 ? { node: first.node } : {}
    return { ...refusedByMachine(message || text.trim()), ...node }
  }

  /** How the tasks ended, as far as their launchers saw it; undefined in the place of one that nobody saw. */
  async exits({
    order,
  }: AttemptRecord): Promise<{ readonly task: Task; readonly exit: TaskExit | undefined }[]> {
    const tasks = tasksOf(order.allocation, order.program.tasksPer)
    return Promise.all(tasks.map(async (task) => ({ task, exit: await this.#exit(task) })))
  }

  /** The last words of the job's own script and of the launchers, for the operator. */
  async jobWords(): Promise<string> {
    return (await readTail(this.jobOutput, 500)).trim()
  }

  async #exit({ rank, node }: Task): Promise<TaskExit | undefined> {
    const text = await readText(join(this.path, 'exits', String(rank)))
    const [code, at, stopped] = text?.trim().split(' ') ?? []
    if (code === undefined) return undefined
    const logTail = await readLogTail(this.logs, rank)
    return { task: rank, node, ...endOf(code), at: Number(at), logTail, stopped: stopped === '1' }
  }
}

/** Names by number as a shell reports them: 128 and the number (man 7 signal; x86 and Arm). */
const SIGNALS =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  )

/** A shell cannot tell an exit code above 128 from a signal; such codes are read as signals. */
function endOf(code: string): { exitCode?: number; signal?: string } {
  if (code === '-') return {}
  const signal = SIGNALS[Number(code) - 129]
  return signal === undefined ? { exitCode: Number(code) } : { signal: `SIG${signal}` }
}

function nodeFile(
  { order, addresses }: AttemptRecord,
  node: NodeId,
  nodeRank: number,
  tasks: readonly Task[],
  { fence, news, logBytesPerTask }: LauncherSettings,
): string {
  const command = ['/bin/sh', ...shellArguments(order.program.run)].map(shellQuoted).join(' ')
  return `${[
    `node_rank=${nodeRank}`,
    `node_count=${order.allocation.parts.length}`,
    `ranks=(${tasks.map(({ rank }) => rank).join(' ')})`,
    `address=${shellQuoted(addresses[node] ?? node)}`,
    `needs_port=${order.needsPort ? 1 : 0}`,
    `workdir=${shellQuoted(order.program.workdir)}`,
    `checkpoint=${shellQuoted(order.checkpointDir ?? '')}`,
    `fence=${shellQuoted(fence)}`,
    `news=${shellQuoted(news)}`,
    `log_segment=${Math.max(1, Math.floor(logBytesPerTask / LOG_SEGMENTS))}`,
    `log_segments=${LOG_SEGMENTS}`,
    `command=(${command})`,
  ].join('\n')}\n`
}

/** The launcher knows better where task 0 is to be found, and which GPUs Slurm gave the job. */
function exportsOf(record: AttemptRecord, task: Task, worldSize: number, progressFile: string): string {
  const { MASTER_ADDR, MASTER_PORT, ...environment } = {
    ...inheritedEnvironment(process.env),
    ...taskEnvironment(record.order, task, {
      worldSize,
      masterAddress: '',
      masterPort: 0,
      progressFile,
      hasGpus: record.hasGpus,
    }),
  }
  return `${Object.entries(environment)
    .map(([name, value]) => `export ${name}=${shellQuoted(value)}`)
    .join('\n')}\n`
}

/** What was told in the file; undefined while it is not there or its last line has no end yet. */
async function readText(path: string): Promise<string | undefined> {
  try {
    const text = await readFile(path, 'utf8')
    return text.endsWith('\n') ? text : undefined
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
