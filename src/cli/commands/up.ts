import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { EXIT_CODES } from '../../api/problem.ts'
import { formatDuration } from '../../base/index.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { isAlive } from '../local/process-alive.ts'
import type { LocalServer } from '../local/server-file.ts'
import { serverProgram } from '../local/server-main.ts'

export interface UpOptions {
  readonly foreground?: boolean
  readonly host?: string
  readonly port?: string
  readonly slots?: string
  readonly databaseUrl?: string
  readonly advertise?: string
  readonly oidc?: string
  readonly engine?: string
  readonly slurmDir?: string
  readonly slurmPartition?: string
  readonly slurmAccount?: string
  readonly slurmQos?: string
  readonly slurmTopology?: string
  readonly slurmRest?: string
  readonly slurmPatience?: string
  readonly twin?: string
  readonly speed?: string
  readonly load?: string
  readonly seed?: string
  readonly faults?: string
  readonly controlFaults?: string
  readonly history?: string
}

/** What the server writes before a line for people. */
const SPOKEN = 'banyan server: '
const POLL_MS = 100
/** Of lines of the server's log that are no warnings. */
const INFO_LEVEL = 30
/** A server that says nothing for so long is given up. The first start builds the database; a slow disk may need a while. */
const PATIENCE_MS = 120_000

/** Starts the server in the background and returns when it answers; or stays with it in the foreground. */
export async function up(cli: Cli, options: UpOptions): Promise<void> {
  const running = await runningServer(cli)
  if (running) return announce(cli, running, true)
  makeDataDir(cli.dataDir)
  const args = [...serverProgram('main'), ...serverArguments(cli, options)]
  if (options.foreground) return stayWith(cli, args)
  announce(cli, await startInBackground(cli, args), false)
}

/** The server of the data folder, if its process lives. */
export async function runningServer(cli: Cli): Promise<LocalServer | undefined> {
  const left = await cli.localServer()
  return left && isAlive(left) ? left : undefined
}

function makeDataDir(dataDir: string): void {
  try {
    makeFolder(dataDir)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CliFailure(
      'usage',
      `cannot make the data folder ${dataDir}: ${reason}`,
      'Choose another with --data.',
    )
  }
}

/** As `mkdir -p`; Node's own recursive mkdir never ends below /proc, where a folder refuses with "no such file". */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}

function serverArguments(cli: Cli, options: UpOptions): string[] {
  const given: readonly (readonly [flag: string, value: string | undefined])[] = [
    ['--data', cli.dataDir],
    ['--host', options.host],
    ['--port', options.port],
    ['--slots', options.slots],
    ['--database-url', options.databaseUrl],
    ['--advertise', options.advertise],
    ['--oidc', inFull(cli, options.oidc)],
    ['--engine', options.engine],
    ['--slurm-dir', inFull(cli, options.slurmDir)],
    ['--slurm-partition', options.slurmPartition],
    ['--slurm-account', options.slurmAccount],
    ['--slurm-qos', options.slurmQos],
    ['--slurm-topology', inFull(cli, options.slurmTopology)],
    ['--slurm-rest', options.slurmRest],
    ['--slurm-patience', options.slurmPatience],
    ['--twin', options.twin],
    ['--speed', options.speed],
    ['--load', options.load],
    ['--seed', options.seed],
    ['--faults', options.faults],
    ['--control-faults', options.controlFaults],
    ['--history', options.history],
  ]
  return given.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]))
}

/** The server runs in another folder. */
function inFull(cli: Cli, path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(cli.io.cwd, path)
}

function stayWith(cli: Cli, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: 'inherit', env: cli.io.env })
  const passOn = (signal: NodeJS.Signals) => child.kill(signal)
  process.on('SIGINT', passOn)
  process.on('SIGTERM', passOn)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new CliFailure('internal', `the server ended with ${signal ?? `exit status ${code}`}`))
    })
  })
}

async function startInBackground(cli: Cli, args: readonly string[]): Promise<LocalServer> {
  const logPath = join(cli.dataDir, 'server.log')
  const log = openLog(logPath)
  const child = spawn(process.execPath, args, {
    detached: true,
    cwd: cli.dataDir,
    stdio: ['ignore', log.descriptor, log.descriptor],
    env: cli.io.env,
  })
  closeSync(log.descriptor)
  let ended: Ended | undefined
  child.once('error', (error) => {
    ended = { isUsage: false, how: error.message }
  })
  child.once('exit', (code, signal) => {
    ended = { isUsage: code === EXIT_CODES.usage, how: signal ?? `exit status ${code}` }
  })
  child.unref()
  const begun = cli.io.now()
  let heard = { at: begun, size: log.size }
  for (;;) {
    const left = await cli.localServer()
    if (left && left.pid === child.pid && (await answers(left))) {
      clearLine(cli)
      return left
    }
    if (ended !== undefined) {
      clearLine(cli)
      const reason = reasonIn(logPath, log.size) ?? `the server ended with ${ended.how}`
      throw ended.isUsage
        ? new CliFailure('usage', reason)
        : new CliFailure('internal', reason, `Its log: ${logPath}`)
    }
    const now = cli.io.now()
    const { size } = statSync(logPath)
    if (size > heard.size) heard = { at: now, size }
    if (now - heard.at > PATIENCE_MS) {
      child.kill('SIGTERM')
      clearLine(cli)
      throw new CliFailure(
        'internal',
        `the server neither answered nor said anything for ${formatDuration(PATIENCE_MS)}`,
        `Its log: ${logPath}`,
      )
    }
    showLine(cli, `Starting Banyan ... ${((now - begun) / 1_000).toFixed(1)} s${doing(logPath, log.size)}`)
    await pause(POLL_MS)
  }
}

interface Ended {
  readonly isUsage: boolean
  readonly how: string
}

function openLog(path: string): { readonly descriptor: number; readonly size: number } {
  try {
    const descriptor = openSync(path, 'a', 0o600)
    return { descriptor, size: statSync(path).size }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CliFailure('usage', `cannot write to the data folder: ${reason}`, 'Choose another with --data.')
  }
}

async function answers({ url }: LocalServer): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) })
    return response.ok
  } catch {
    return false
  }
}

/** What the server said for people before it ended, or what it broke on, from where its part of the log begins. */
function reasonIn(logPath: string, from: number): string | undefined {
  const text = readFileSync(logPath).subarray(from).toString('utf8')
  const lines = text.split('\n')
  const said = lines.findLast((line) => line.startsWith(SPOKEN))
  return said?.slice(SPOKEN.length) ?? lines.findLast((line) => /^\w*Error\b.*: /.test(line))
}

/** What the server said last, and how much of it is done where it says so. */
function doing(logPath: string, from: number): string {
  const line = readFileSync(logPath).subarray(from).toString('utf8').trimEnd().split('\n').at(-1) ?? ''
  try {
    const { msg, percent, level } = JSON.parse(line) as { msg?: string; percent?: number; level?: number }
    if (msg === undefined || level !== INFO_LEVEL) return ''
    return `  ${msg}${percent === undefined ? '' : `, ${percent} %`}`
  } catch {
    return ''
  }
}

function showLine(cli: Cli, text: string): void {
  if (cli.io.isTerminal && !cli.isJson) cli.io.err(`\r\u001b[K${text}`)
}

function clearLine(cli: Cli): void {
  showLine(cli, '')
}

function announce(cli: Cli, server: LocalServer, alreadyRunning: boolean): void {
  const { url, pid, tokenFile } = server
  const { paint, dataDir } = cli
  cli.print({ url, pid, dataDir, tokenFile, alreadyRunning }, () =>
    [
      alreadyRunning
        ? `Banyan runs already at ${paint.bold(url)} (process ${pid}).`
        : `Banyan runs at ${paint.bold(url)} (process ${pid}).`,
      `${paint.dim('data ')}${dataDir}`,
      `${paint.dim('look ')}banyan console, or ${url}/console/ with your token`,
      `${paint.dim('next ')}banyan run FILE, banyan ps, banyan nodes, banyan down`,
    ].join('\n'),
  )
}
