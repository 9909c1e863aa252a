import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { AttemptFolder } from './attempt-folder.ts'

/** Starts a supervisor in a session of its own, so that it outlives this process and no signal to it. */
export function spawnSupervisor(folder: AttemptFolder): ChildProcess {
  const log = openSync(folder.supervisorLog, 'a', 0o600)
  try {
    const child = spawn(process.execPath, [...loaderArguments(), supervisorPath(), folder.path], {
      cwd: '/',
      detached: true,
      env: environment(),
      stdio: ['ignore', log, log],
    })
    child.unref()
    return child
  } finally {
    closeSync(log)
  }
}

/** The entry stands beside this file: as TypeScript in a checkout, as JavaScript when installed. */
const extension = extname(fileURLToPath(import.meta.url))

function supervisorPath(): string {
  return fileURLToPath(new URL(`./supervisor${extension}`, import.meta.url))
}

function loaderArguments(): string[] {
  if (extension !== '.ts') return []
  return ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
}

/** Not the server's: it may hold secrets, and the fence of an attempt that this server itself runs in. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env
  return { PATH, HOME, TMPDIR }
}
