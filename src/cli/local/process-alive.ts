import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { LocalServer } from './server-file.ts'

/** Kernel clock ticks a second as /proc reports them; Linux fixes it at 100 for user space (man 5 proc, USER_HZ). */
const TICKS_PER_SECOND = 100
/** Start times are rounded, and a clock may have been set since. */
const TOLERANCE_MS = 10_000

/** Whether the process that wrote server.json still runs: its pid is alive and it began before it wrote the file. */
export function isAlive({ pid, startedAt }: LocalServer): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: alive, and of another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const began = processStart(pid)
  return began === undefined || began <= startedAt + TOLERANCE_MS
}

/** When a process began, in milliseconds since the epoch; undefined where this system does not tell. */
function processStart(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name stands in parentheses and may hold blanks; field 22 is the 20th after it.
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
    const boot = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))
    if (boot && Number.isFinite(ticks)) return Number(boot[1]) * 1_000 + (ticks / TICKS_PER_SECOND) * 1_000
  } catch {
    // No /proc here: ask ps.
  }
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const began = Date.parse(text.trim())
    return Number.isNaN(began) ? undefined : began
  } catch {
    return undefined
  }
}
