import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { promisify } from 'node:util'
import type { RestAddress } from './rest.ts'

const run = promisify(execFile)
const LIFESPAN_SECONDS = 3_600
const RENEW_AFTER_MS = (LIFESPAN_SECONDS * 1_000) / 2

/**
 * Who calls slurmrestd and by which token: `SLURM_JWT_FILE`, read anew at each use, or `SLURM_JWT`; without either
 * `scontrol token` makes one where it can, and on a socket none may be needed.
 */
export function slurmToken(env: Readonly<Record<string, string | undefined>>): Omit<RestAddress, 'url'> {
  const user = env.SLURM_JWT_USER ?? userInfo().username
  const { SLURM_JWT: fixed, SLURM_JWT_FILE: file } = env
  if (file !== undefined) return { user, token: async () => (await readFile(file, 'utf8')).trim() }
  if (fixed !== undefined) return { user, token: async () => fixed }
  let made: { readonly at: number; readonly token: Promise<string | undefined> } | undefined
  return {
    user,
    token: () => {
      if (!made || performance.now() - made.at > RENEW_AFTER_MS)
        made = { at: performance.now(), token: makeToken() }
      return made.token
    },
  }
}

async function makeToken(): Promise<string | undefined> {
  try {
    const { stdout } = await run('scontrol', ['token', `lifespan=${LIFESPAN_SECONDS}`], { timeout: 20_000 })
    return stdout.trim().replace(/^SLURM_JWT=/, '')
  } catch {
    return undefined
  }
}
