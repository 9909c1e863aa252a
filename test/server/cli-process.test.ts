import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { aTerminal } from '../../src/cli/test-io.ts'

/** The command as a process of its own, with the server that it starts in the background. */
const TSX = import.meta.resolve('tsx')
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

// A server that is started from source takes seconds to load, and many on a busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

let folder: string
let dataDir: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'banyan cli '))
  dataDir = join(folder, 'data')
})
afterEach(async () => {
  await banyan('down', '--stop-work')
  rmSync(folder, { recursive: true, force: true })
})

interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** One command line; those that start a program of the server's run as a process of their own, as for a person. */
async function banyan(...args: readonly string[]): Promise<Said> {
  const { DATABASE_URL: _, BANYAN_URL: __, ...rest } = process.env
  const env = { ...rest, BANYAN_DATA_DIR: dataDir, NO_COLOR: '1' }
  if (args[0] === 'up' || args[0] === 'restore') return asProcess(args, env)
  const io = aTerminal({ env, cwd: REPOSITORY, now: Date.now })
  const code = await runCli(args, io)
  return { code, ...io.written }
}

function asProcess(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Said> {
  return new Promise((resolve) => {
    const command = ['--import', TSX, MAIN, ...args]
    execFile(process.execPath, command, { env, cwd: REPOSITORY }, (error, out, err) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 255) : 0
      resolve({ code, out, err })
    })
  })
}

const up = () => banyan('up', '--port', '0', '--slots', '2')

test('up, work, down and up again: what runs goes on meanwhile', async () => {
  const started = await up()
  expect(started.err).toBe('')
  expect(started.out).toMatch(/^Banyan runs at http:\/\/127\.0\.0\.1:\d+ \(process \d+\)\.\n/)
  expect(statSync(join(dataDir, 'server.json')).mode & 0o777).toBe(0o600)
  expect(statSync(join(dataDir, 'operator.token')).mode & 0o777).toBe(0o600)
  expect((await up()).out).toMatch(/^Banyan runs already at /)

  const ticks = join(folder, 'ticks')
  writeFileSync(
    join(folder, 'long.yaml'),
    `type: train\nname: long\ngpus: 1\nrun: while true; do echo tick >> "${ticks}"; sleep 0.1; done`,
  )
  expect((await banyan('run', join(folder, 'long.yaml'))).code).toBe(0)
  await untilGrows(ticks)

  const ended = await banyan('down')
  expect(ended.out).toMatch(/^Banyan is down\.\n1 workload goes on running: w1 \(long\)\.\n/)
  expect(await banyan('ps')).toMatchObject({ code: 7 })
  await untilGrows(ticks)

  await up()
  const { items } = JSON.parse((await banyan('ps', '--json')).out)
  expect(items).toMatchObject([{ id: 'w1', attemptCount: 1 }])
  await untilGrows(ticks)

  const stopped = await banyan('down', '--stop-work')
  expect(stopped.out).toBe('Banyan is down.\n')
  const size = readFileSync(ticks).length
  expect(readFileSync(ticks)).toHaveLength(size)
})

/** Resolves when the file has grown since now. */
async function untilGrows(path: string): Promise<void> {
  const size = () => (existsSync(path) ? statSync(path).size : 0)
  const before = size()
  while (size() <= before) await new Promise((resolve) => setImmediate(resolve))
}

test('a server that was killed is not taken for running, and its data are there again', async () => {
  await up()
  await banyan('orgs', 'create', 'acme')
  const { pid } = JSON.parse(readFileSync(join(dataDir, 'server.json'), 'utf8'))
  process.kill(pid, 'SIGKILL')
  const refused = await banyan('ps')
  expect(refused.code).toBe(7)
  expect((await up()).out).toMatch(/^Banyan runs at /)
  expect((await banyan('orgs')).out).toBe('ORGANISATION\nacme\ndefault\n')
})

test('a port that is taken, and a port that is none, are told from the server log', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as { port: number }
  const { code, err } = await banyan('up', '--port', `${port}`)
  expect(err).toBe(
    `banyan: port ${port} on 127.0.0.1 is taken; choose another with --port, or 0 for any free one\nIts log: ${dataDir}/server.log\n`,
  )
  expect(code).toBe(1)
  await new Promise((resolve) => taken.close(resolve))
  expect(await banyan('up', '--port', 'x')).toMatchObject({
    code: 2,
    err: 'banyan: --port takes a number from 0 to 65535, not "x"\n',
  })
})

test('a backup comes back in another folder', async () => {
  await up()
  await banyan('orgs', 'create', 'acme')
  const file = join(folder, 'all.gz')
  expect((await banyan('backup', file)).code).toBe(0)
  const restored = join(folder, 'restored')
  const read = await banyan('restore', file, '--data', restored)
  expect(read).toMatchObject({
    code: 0,
    out: `Restored into ${restored}. Next: banyan up --data ${restored}\n`,
  })
  expect(await banyan('restore', file, '--data', restored)).toMatchObject({ code: 5 })
  expect(await banyan('restore', file)).toMatchObject({
    code: 5,
    err: expect.stringContaining('a server runs from'),
  })
  await banyan('up', '--data', restored, '--port', '0')
  expect((await banyan('orgs', '--data', restored)).out).toBe('ORGANISATION\nacme\ndefault\n')
  await banyan('down', '--data', restored)
})

test('output that nobody reads any more ends the command quietly', async () => {
  const pipe = `"${process.execPath}" --import "${TSX}" "${MAIN}" completion bash | head -1`
  const said = await new Promise<Said>((resolve) =>
    execFile('bash', ['-o', 'pipefail', '-c', pipe], { cwd: REPOSITORY }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    ),
  )
  expect(said).toEqual({ code: 0, err: '', out: expect.stringMatching(/^# banyan completion for bash/) })
})
