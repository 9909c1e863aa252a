import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { identify, isAlive, type ProcessIdentity, type ProcessStat, statOf } from './process-identity.ts'

/** The variable by which the processes of one launch are known, wherever they wandered. */
export const FENCE_VARIABLE = 'BANYAN_FENCE'

/** Where to look for the processes of an attempt. */
export interface ProcessTraces {
  readonly fence: string
  /** Tasks whose end has not been collected: all that is in their sessions belongs to them. */
  readonly leaders: readonly number[]
  /** Processes seen before; they are followed even when nothing else points at them any more. */
  readonly seen: readonly ProcessIdentity[]
}

/**
 * The live processes of an attempt: those that carry its fence in their environment, those in a session of a leader,
 * those seen before, and all their descendants. A process that cleared its environment, left its session and lost its
 * parent between two looks is not found; only a container could hold that one.
 */
export function processesOf({ fence, leaders, seen }: ProcessTraces): ProcessIdentity[] {
  const all = allProcesses()
  const found = new Set(seen.filter(isAlive).map(({ pid }) => pid))
  for (const [pid, stat] of all) {
    if (leaders.includes(stat.session) || hasFence(pid, fence)) found.add(pid)
  }
  found.delete(process.pid)
  for (let before = 0; before !== found.size; ) {
    before = found.size
    for (const [pid, stat] of all) if (found.has(stat.parent)) found.add(pid)
  }
  return [...found].map(identify).filter((identity) => identity !== undefined)
}

/** Sends a signal to a process or, by a negative number, to a group; one that is gone is no error. */
export function sendSignal(pid: number, signal: string): void {
  try {
    process.kill(pid, signal as NodeJS.Signals)
  } catch {
    // Gone already, or not ours to signal any more; who must be sure looks again.
  }
}

function allProcesses(): Map<number, ProcessStat> {
  const all = new Map<number, ProcessStat>()
  for (const pid of pids()) {
    const stat = statOf(pid)
    if (stat) all.set(pid, stat)
  }
  return all
}

function pids(): number[] {
  const names =
    process.platform === 'linux'
      ? readdirSync('/proc')
      : execFileSync('ps', ['-A', '-o', 'pid='], { encoding: 'utf8' }).split('\n')
  return names.map(Number).filter((pid) => Number.isInteger(pid) && pid > 1)
}

function hasFence(pid: number, fence: string): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1')
    return `\0${environment}`.includes(`\0${FENCE_VARIABLE}=${fence}\0`)
  } catch {
    return false
  }
}
