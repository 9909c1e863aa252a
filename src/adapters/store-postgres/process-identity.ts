import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Enough to tell a process from every other one, also from a later one that got the same pid. */
export interface ProcessIdentity {
  readonly pid: number
  /** When the kernel started it, in the kernel's own words. */
  readonly startedAt: string
  /** Changes with every boot. */
  readonly boot: string
  readonly host: string
  /** Where pids mean the same processes; differs between containers. Empty where the system has no such thing. */
  readonly pidNamespace: string
}

export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    startedAt: startOf(process.pid) ?? '',
    boot: bootId(),
    host: hostname(),
    pidNamespace: process.platform === 'linux' ? readlinkSync('/proc/self/ns/pid') : '',
  }
}

/**
 * - `alive`: that very process runs.
 * - `dead`: it cannot run any more.
 * - `unknown`: it runs or ran where this process cannot look: another machine, or another container on this one.
 */
export function fateOf(
  other: ProcessIdentity,
  own: ProcessIdentity = ownIdentity(),
): 'alive' | 'dead' | 'unknown' {
  if (other.boot !== own.boot) return other.host === own.host ? 'dead' : 'unknown'
  if (other.pidNamespace !== own.pidNamespace) return 'unknown'
  return startOf(other.pid) === other.startedAt ? 'alive' : 'dead'
}

function bootId(): string {
  return process.platform === 'linux'
    ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    : ask('sysctl', ['-n', 'kern.bootsessionuuid'])
}

/** When this process started, or nothing when there is none that can still do something. */
function startOf(pid: number): string | undefined {
  return process.platform === 'linux'
    ? startOnLinux(pid)
    : ask('ps', ['-o', 'lstart=', '-p', String(pid)]) || undefined
}

/** Fields 3 (state) and 22 (start in clock ticks) of proc_pid_stat(5); the name before them may hold any character. */
function startOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie whose other threads are gone waits only for its parent to read its exit status.
    const isGone = (fields[0] === 'Z' || fields[0] === 'X') && readdirSync(`/proc/${pid}/task`).length <= 1
    return isGone ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function ask(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return ''
  }
}
