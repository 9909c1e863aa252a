import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** Runs the `banyan` command of this checkout; its own words go to standard error. Rejects when it fails. */
export function runBanyan(root: string, args: readonly string[]): Promise<void> {
  const command = [join(root, 'node_modules/tsx/dist/cli.mjs'), join(root, 'src/cli/main.ts'), ...args]
  const child = spawn(process.execPath, command, { stdio: ['ignore', 2, 2] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`banyan ${args[0]} failed; what it said stands above`))
    })
  })
}
