import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The repository's folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Installed {
  /** The folder of the installed package. */
  readonly packageDir: string
  /** An empty folder for the test's own files; its path has spaces too. */
  readonly workDir: string
  /** The exit code, standard output and standard error of `banyan` with these words; its home is empty at first. */
  banyan(words: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>
  remove(): Promise<void>
}

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Banyan packed as for the registry, and installed from the tarball with npm's --global below an empty prefix. */
export async function installPackage(): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan with spaces '))
  const [prefix, workDir, home] = [join(folder, 'pre fix'), join(folder, 'work dir'), join(folder, 'home')]
  await Promise.all([prefix, workDir, home].map((path) => mkdir(path)))
  await npm(['pack', '--pack-destination', folder])
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? 'no tarball'
  await npm(['install', '--global', '--prefix', prefix, join(folder, tarball)])
  return {
    packageDir: join(prefix, 'lib/node_modules/banyan'),
    workDir,
    banyan: (words, env) => ended(join(prefix, 'bin/banyan'), words, workDir, { HOME: home, ...env }),
    remove: () => rm(folder, { recursive: true, maxRetries: 5 }),
  }
}

const run = promisify(execFile)

async function npm(words: readonly string[]): Promise<void> {
  const settings = ['--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', [...words, ...settings], { cwd: ROOT }).catch(
    (error: { stdout: string; stderr: string }) => {
      throw new Error(`npm ${words[0]} failed:\n${error.stdout}${error.stderr}`)
    },
  )
}

function ended(
  program: string,
  words: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  const child = spawn(program, words, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, err }))
  })
}
