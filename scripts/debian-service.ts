import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

interface DebianService {
  readonly packages: readonly string[]
  readonly isPresent: () => boolean
}

/** Programs that some suites run for real, and the Debian packages that bring them. */
export const SERVICES = {
  postgresql: { packages: ['postgresql'], isPresent: hasPostgresServer },
  chromium: { packages: ['chromium'], isPresent: () => hasProgram('chromium') },
  torch: { packages: ['python3-torch'], isPresent: hasTorch },
  slurm: {
    packages: [
      'slurmctld',
      'slurmd',
      'slurm-client',
      'slurm-wlm-basic-plugins',
      'slurmrestd',
      'slurm-wlm-jwt-plugin',
      'munge',
    ],
    isPresent: () => ['slurmctld', 'slurmd', 'sbatch', 'slurmrestd', 'munged'].every(hasProgram),
  },
  opensm: { packages: ['opensm'], isPresent: () => hasProgram('opensm') },
} as const satisfies Readonly<Record<string, DebianService>>

export type Service = keyof typeof SERVICES

/**
 * The services among `needed` that are absent still, each with what to do about it. On Debian as root the
 * missing packages are installed first; anywhere else nothing is changed.
 */
export async function ensureServices(
  needed: readonly Service[],
  say: (line: string) => void,
): Promise<Map<Service, string>> {
  const absent = absentOf(needed)
  if (absent.length === 0) return new Map()
  if (!canInstall()) return new Map(absent.map((service) => [service, byHand(service)]))
  say(`installing for ${absent.join(', ')} with apt-get`)
  const updated = await apt(['update'])
  for (const service of absent) {
    const failed =
      updated ?? (await apt(['install', '-y', '--no-install-recommends', ...SERVICES[service].packages]))
    if (failed !== undefined) say(`apt-get failed for ${service}:\n${failed}`)
  }
  return new Map(absentOf(absent).map((service) => [service, byHand(service)]))
}

function absentOf(services: readonly Service[]): Service[] {
  return services.filter((service) => !SERVICES[service].isPresent())
}

function byHand(service: Service): string {
  return `${service} is not here; on Debian: apt-get install ${SERVICES[service].packages.join(' ')}`
}

function canInstall(): boolean {
  return existsSync('/etc/debian_version') && process.getuid?.() === 0 && hasProgram('apt-get')
}

const TRIES = 3

/** The end of apt-get's output when it failed every time; nothing when it succeeded. */
async function apt(words: readonly string[]): Promise<string | undefined> {
  const settings = ['-q', '-o', 'DPkg::Lock::Timeout=600', '-o', 'Acquire::Retries=3']
  let output = ''
  for (let tried = 1; tried <= TRIES; tried++) {
    const ended = await run('apt-get', [...settings, ...words], { DEBIAN_FRONTEND: 'noninteractive' })
    if (ended.code === 0) return undefined
    output = ended.output
    if (tried < TRIES) await wait(tried * 5_000)
  }
  return output.split('\n').slice(-15).join('\n')
}

function hasProgram(name: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some((folder) => isExecutable(join(folder, name)))
}

function hasPostgresServer(): boolean {
  const root = '/usr/lib/postgresql'
  return (
    existsSync(root) && readdirSync(root).some((version) => isExecutable(join(root, version, 'bin/postgres')))
  )
}

function hasTorch(): boolean {
  const python = process.env.BANYAN_PYTHON ?? '/usr/bin/python3'
  return spawnSync(python, ['-c', 'import torch']).status === 0
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function run(
  program: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const keep = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => resolve({ code: null, output: error.message }))
    child.on('close', (code) => resolve({ code, output }))
  })
}

/** `tsx scripts/debian-service.ts postgresql slurm` installs what is missing of these, or says what is. */
async function main(words: readonly string[]): Promise<number> {
  const known = Object.keys(SERVICES)
  const unknown = words.filter((word) => !known.includes(word))
  if (words.length === 0 || unknown.length > 0) {
    console.error(
      `${unknown.map((word) => `unknown service ${word}; `).join('')}name some of: ${known.join(', ')}`,
    )
    return 2
  }
  const missing = await ensureServices(words as Service[], console.error)
  for (const reason of missing.values()) console.error(reason)
  return missing.size === 0 ? 0 : 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  process.exitCode = await main(process.argv.slice(2))
