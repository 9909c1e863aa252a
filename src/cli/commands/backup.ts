import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { access, rename, rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { EXIT_CODES } from '../../api/problem.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { serverProgram } from '../local/server-main.ts'
import { bytes } from '../render/values.ts'
import { runningServer } from './up.ts'

/** Writes a backup of the running server's store into a file; the file appears when it is whole. */
export async function backup(cli: Cli, file: string | undefined): Promise<void> {
  const name =
    file ?? `banyan-${new Date(cli.io.now()).toISOString().slice(0, 19).replaceAll(':', '')}.backup.gz`
  const path = resolve(cli.io.cwd, name)
  if (await exists(path)) throw new CliFailure('conflict', `${name} exists already`, 'Name another file.')
  const client = await cli.client()
  const partial = `${path}.partial`
  try {
    const body = await client.backUp()
    await pipeline(Readable.fromWeb(body as NodeReadableStream), createWriteStream(partial, { mode: 0o600 }))
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  const { size } = await stat(path)
  cli.print(
    { file: path, bytes: size },
    () =>
      `${name} (${bytes(size)}); \`banyan restore ${name} --data DIR\` reads it into an empty data folder.`,
  )
}

/** Reads a backup into an empty data folder, or into an empty database. */
export async function restore(
  cli: Cli,
  file: string,
  options: { readonly databaseUrl?: string },
): Promise<void> {
  const path = resolve(cli.io.cwd, file)
  if (!(await exists(path))) throw new CliFailure('usage', `there is no file ${file}`)
  const running = await runningServer(cli)
  if (running) {
    throw new CliFailure(
      'conflict',
      `a server runs from ${cli.dataDir} (process ${running.pid})`,
      '`banyan down` ends it; or name another folder with --data.',
    )
  }
  const where = [
    '--data',
    cli.dataDir,
    ...(options.databaseUrl === undefined ? [] : ['--database-url', options.databaseUrl]),
  ]
  const child = spawn(process.execPath, [...serverProgram('restore-main'), path, ...where], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: cli.io.env,
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const code = await new Promise<number | null>((settle, reject) => {
    child.once('error', reject)
    child.once('close', settle)
  })
  if (code !== 0) {
    const reason =
      said.trim().replace(/^banyan restore: /m, '') || `the restore ended with exit status ${code}`
    throw new CliFailure(code === EXIT_CODES.conflict ? 'conflict' : 'internal', reason)
  }
  cli.print(
    { file: path, dataDir: cli.dataDir },
    () =>
      `Restored into ${cli.dataDir}. Next: banyan up${cli.options.data === undefined ? '' : ` --data ${cli.options.data}`}`,
  )
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
