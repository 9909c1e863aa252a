import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { ensureServices } from '../../scripts/debian-service.ts'

export interface PostgresServer {
  /** Of an empty database on it, as a user who may do everything. */
  readonly url: string
  /** The URL of one more empty database. */
  createDatabase(): Promise<string>
  stop(): Promise<void>
}

const ROOT = '/usr/lib/postgresql'
const PASSWORD = 'only for tests'

/**
 * A real PostgreSQL of its own, in a temporary folder and on a free port of loopback, that asks for a password.
 * Nothing where it is not installed and cannot be; under CI that throws, so that no run passes without it.
 */
export async function startPostgres(): Promise<PostgresServer | undefined> {
  const absent = (await ensureServices(['postgresql'], console.error)).get('postgresql')
  if (absent !== undefined) {
    if (process.env.CI) throw new Error(absent)
    return undefined
  }
  const folder = mkdtempSync(join(tmpdir(), 'banyan-postgres-'))
  const user = unprivileged()
  if (user) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, PASSWORD)
  execFileSync(
    program('initdb'),
    [
      '-D',
      data,
      '-U',
      'banyan',
      '-A',
      'scram-sha-256',
      '--pwfile',
      passwordFile,
      '-E',
      'UTF8',
      '--locale',
      'C.UTF-8',
    ],
    { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const port = await freePort()
  const server = spawn(program('postgres'), ['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', folder], {
    ...user,
    cwd: folder,
    env: { ...process.env, LC_MESSAGES: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await isReady(server)
  const urlOf = (database: string) =>
    `postgresql://banyan:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${database}`
  let databases = 0
  return {
    url: urlOf('postgres'),
    createDatabase: async () => {
      const name = `test_${++databases}`
      const client = new pg.Client({ connectionString: urlOf('postgres') })
      await client.connect()
      await client.query(`create database ${name}`)
      await client.end()
      return urlOf(name)
    },
    stop: async () => {
      const ended = once(server, 'exit')
      // SIGQUIT ends it at once: nothing of it is needed any more.
      if (server.exitCode === null && server.kill('SIGQUIT')) await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** initdb and postgres refuse to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const idOf = (option: '-u' | '-g') => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

function program(name: 'initdb' | 'postgres'): string {
  const newest = Math.max(...readdirSync(ROOT).map(Number).filter(Number.isFinite))
  return join(ROOT, `${newest}`, 'bin', name)
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port of loopback is free')
  return address.port
}

async function isReady(server: ChildProcess): Promise<void> {
  if (!server.stderr) throw new Error('the server has no output to read')
  const said: string[] = []
  const lines = createInterface({ input: server.stderr })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`PostgreSQL does not start:\n${said.join('\n')}`)))
    lines.on('line', (line) => {
      said.push(line)
      if (line.includes('ready to accept connections')) resolve()
    })
  })
}
