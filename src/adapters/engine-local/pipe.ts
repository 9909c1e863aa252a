import { execFileSync } from 'node:child_process'
import { constants, openSync, rmSync } from 'node:fs'

/**
 * Both ends of a new pipe; `path` is used for a moment. Node would give a child a socket instead, which programs
 * cannot open again as /dev/stderr, and shell scripts do that.
 */
export function openPipe(path: string): { reader: number; writer: number } {
  rmSync(path, { force: true })
  execFileSync('mkfifo', ['-m', '600', path], { stdio: 'pipe' })
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, constants.O_WRONLY)
  rmSync(path)
  return { reader, writer }
}
