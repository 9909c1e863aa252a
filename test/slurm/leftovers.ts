import { execFile } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const FOLDER_PREFIX = 'banyan-slurm-cluster-'
const OWNER = 'owner'
const DAEMONS = 'daemons'

/** Notes who the daemons of this folder are for: they are not to outlive this process. */
export function claimFolder(folder: string): void {
  writeFileSync(join(folder, OWNER), identity(process.pid) ?? '')
}

export function noteDaemon(folder: string, pid: number | undefined): void {
  if (pid !== undefined) appendFileSync(join(folder, DAEMONS), `${pid}\n`)
}

/** Ends the daemons that runs which were killed have left behind, by their own notes, and removes their folders. */
export async function endLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(FOLDER_PREFIX)) continue
    const folder = join(tmpdir(), name)
    const owner = await noted(folder, OWNER)
    // A folder without a note is a moment old.
    if (owner === undefined || identity(Number(owner.split(' ')[0])) === owner) continue
    const pids = ((await noted(folder, DAEMONS)) ?? '').split('\n').filter(Boolean).map(Number)
    await endSteps(join(folder, 'etc/slurm.conf'))
    const own = pids.filter((pid) => commandOf(pid).includes(folder))
    for (const pid of own) process.kill(pid, 'SIGKILL')
    while (own.some((pid) => commandOf(pid).includes(folder))) await pause(20)
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

/** Steps outlive their daemon, and tasks their step, so that they must be found by what their environment says. */
export async function endSteps(configuration: string): Promise<void> {
  const script = `grep -lsxzF "SLURM_CONF=$1" /proc/[0-9]*/environ | cut -d/ -f3 | grep -vx "$$" | xargs -r kill -9 2>/dev/null; true`
  await run('sh', ['-c', script, 'sh', configuration])
}

function noted(folder: string, name: string): Promise<string | undefined> {
  return readFile(join(folder, name), 'utf8').catch(() => undefined)
}

/** The process's number and when the kernel started it, which no later process of the number shares. */
function identity(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`
  } catch {
    return undefined
  }
}

/** Its command line; empty when there is no such process. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}
