import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** One process, told apart from any other that ever has the same number. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, in the kernel's own count, which no change of the clock touches. */
  readonly startedAt: string
  readonly bootId: string
}

/** What the kernel says of a live process; zombies do not count. */
export interface ProcessStat {
  readonly parent: number
  readonly group: number
  readonly session: number
  readonly startedAt: string
}

const isLinux = process.platform === 'linux'

/** The identity of a live process. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = statOf(pid)
  return stat && { pid, startedAt: stat.startedAt, bootId: bootId() }
}

/** Whether that very process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identity.bootId === bootId() && statOf(identity.pid)?.startedAt === identity.startedAt
}

export function statOf(pid: number): ProcessStat | undefined {
  return isLinux ? statOfLinux(pid) : statByPs(pid)
}

/** Differs after every start of the machine. */
function bootId(): string {
  knownBootId ??= isLinux
    ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    : execFileSync('sysctl', ['-n', 'kern.boottime'], { encoding: 'utf8' }).trim()
  return knownBootId
}

let knownBootId: string | undefined

/** Fields by proc(5): 3 state, 4 ppid, 5 pgrp, 6 session, 22 starttime; the name in field 2 may hold anything. */
function statOfLinux(pid: number): ProcessStat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state = 'X', parent, group, session] = fields
  if (state === 'Z' || state === 'X') return undefined
  return {
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startedAt: fields[19] ?? '',
  }
}

/** Without /proc the start is known to the second only, and a group stands for its session. */
function statByPs(pid: number): ProcessStat | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'ppid=,pgid=,state=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
    })
    const [parent, group, state = 'Z', ...startedAt] = line.trim().split(/\s+/)
    if (state.startsWith('Z')) return undefined
    return {
      parent: Number(parent),
      group: Number(group),
      session: Number(group),
      startedAt: startedAt.join(' '),
    }
  } catch {
    return undefined
  }
}
