import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLocalEngine } from '../../../src/adapters/engine-local/index.ts'
import type { AttemptId } from '../../../src/base/index.ts'
import { id } from '../../../src/base/index.ts'
import type { Engine } from '../../../src/control/ports/index.ts'
import { isAlive, pidIn, until } from './conditions.ts'
import { aLocalOrder } from './local-order.ts'
import { Observer, wholeLog } from './observer.ts'

let scratch: string
let dataDir: string
let engine: Engine
let observer: Observer

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'banyan trouble '))
  dataDir = join(scratch, 'data')
  await open()
})

afterEach(async () => {
  await engine.close()
  await rm(scratch, { recursive: true, force: true, maxRetries: 10 })
})

async function open(): Promise<void> {
  await engine?.close()
  engine = await createLocalEngine({ dataDir, slots: 2 })
  observer = new Observer(engine)
}

async function launch(attempt: string, run: string): Promise<AttemptId> {
  const order = await aLocalOrder(engine, attempt, run, scratch)
  await engine.launch(order)
  return order.attempt
}

const folderOf = (attempt: string) => join(dataDir, 'attempts', attempt)
const readJson = async (path: string) => JSON.parse(await readFile(path, 'utf8'))

describe('a supervisor', () => {
  test('that is killed costs the attempt, which is ended and blamed on the platform', async () => {
    const attempt = await launch('w1.1', 'echo $$ > pid; exec sleep 1000')
    const task = await pidIn(join(scratch, 'pid'))
    await observer.running(attempt)
    process.kill((await readJson(join(folderOf('w1.1'), 'claim.json'))).pid, 'SIGKILL')
    expect((await observer.ended(attempt)).cause).toMatchObject({
      kind: 'engine-restarted',
      blame: 'platform',
    })
    expect(isAlive(task)).toBe(false)
  })

  test('of before a restart of the machine is not mistaken for a process of the same number', async () => {
    const attempt = await launch('w1.1', 'exec sleep 1000')
    await observer.running(attempt)
    await engine.close()
    const path = join(folderOf('w1.1'), 'claim.json')
    const claim = await readJson(path)
    process.kill(claim.pid, 'SIGKILL')
    await until(() => !isAlive(claim.pid))
    await writeFile(path, JSON.stringify({ ...claim, pid: process.pid, bootId: 'another' }))
    await open()
    expect((await observer.ended(attempt)).cause).toMatchObject({ kind: 'engine-restarted' })
  })

  test('is started for an order that a killed server left behind, and only one of many runs it', async () => {
    await launch('w1.1', 'echo started >> starts')
    await observer.ended(id<AttemptId>('w1.1'))
    const order = await readJson(join(folderOf('w1.1'), 'order.json'))
    const folder = folderOf('w2.1')
    await mkdir(folder)
    await writeFile(join(folder, 'order.json'), JSON.stringify({ ...order, attempt: 'w2.1', fence: 'w2.1' }))
    const rivals = Array.from({ length: 3 }, () => startSupervisor(folder))
    await open()
    await observer.ended(id<AttemptId>('w2.1'))
    await Promise.all(rivals)
    expect(await readFile(join(scratch, 'starts'), 'utf8')).toBe('started\nstarted\n')
  })

  test('does not end a process of another installation that has the same attempt id', async () => {
    const other = await createLocalEngine({ dataDir: join(scratch, 'other'), slots: 2 })
    const order = await aLocalOrder(other, 'w1.1', 'echo $$ > other-pid; exec sleep 1000', scratch)
    await other.launch(order)
    const pid = await pidIn(join(scratch, 'other-pid'))
    await launch('w1.1', 'true')
    await observer.ended(id<AttemptId>('w1.1'))
    expect(isAlive(pid)).toBe(true)
    await other.stop(order.attempt, { signal: 'SIGKILL', graceMs: 0 })
    await new Observer(other).ended(order.attempt)
    await other.close()
  })
})

test('an allocation on a node that this is not is refused as the platform’s fault', async () => {
  const order = await aLocalOrder(engine, 'w1.1', 'true', scratch)
  const [part] = order.allocation.parts
  await engine.launch({ ...order, allocation: { parts: [{ ...part!, gpus: [7] }] } })
  expect((await observer.ended(order.attempt)).cause?.message).toMatch(/GPU 7, but .* has only 2/)
})

test('an attempt id that is no file name is refused', async () => {
  const order = await aLocalOrder(engine, '../w1', 'true', scratch)
  await expect(engine.launch(order)).rejects.toThrow('"../w1" is not an attempt id')
})

/** Small and read-only file systems can be mounted by root alone. */
describe.runIf(process.getuid?.() === 0 && process.platform === 'linux')('a disk', () => {
  let disk: string
  beforeEach(async () => {
    disk = join(scratch, 'disk')
    await mkdir(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk])
    await engine.close()
    dataDir = join(disk, 'data')
    await open()
  })
  afterEach(async () => {
    await engine.close()
    execFileSync('umount', ['-l', disk])
  })

  async function fill(): Promise<void> {
    await writeFile(join(disk, 'filler'), Buffer.alloc(4 * 2 ** 20)).catch(() => {})
  }

  test('that is full refuses the launch, says so, and leaves nothing behind', async () => {
    await fill()
    const attempt = await launch('w1.1', 'true')
    expect((await observer.ended(attempt)).cause).toMatchObject({
      kind: 'launch-refused',
      blame: 'platform',
      message: expect.stringContaining('no space left on the disk'),
    })
    expect(await readdir(join(dataDir, 'attempts'))).toEqual([])
  })

  test('that a task fills with its output neither holds it up nor hides how it ended', async () => {
    const attempt = await launch('w1.1', 'yes | head -c 5000000; echo last words; exit 5')
    const { exits } = await observer.ended(attempt)
    expect(exits[0]).toMatchObject({ exitCode: 5 })
    expect(exits[0]?.logTail).toMatch(/last words\n$/)
    expect(await wholeLog(engine, attempt, 0)).toMatch(/^(?:y\n)+/)
  })

  test('that is full lets a task be stopped all the same', async () => {
    const attempt = await launch('w1.1', 'echo up; exec sleep 1000')
    await observer.running(attempt)
    await fill()
    await engine.stop(attempt, { signal: 'SIGTERM', graceMs: 10_000 })
    expect((await observer.ended(attempt)).exits).toMatchObject([{ signal: 'SIGTERM', stopped: true }])
  })

  test('that cannot be written is named at the start', async () => {
    execFileSync('mount', ['-o', 'remount,ro', disk])
    await expect(createLocalEngine({ dataDir, slots: 1 })).rejects.toThrow(
      `cannot write to its data folder ${dataDir}: the file system is read-only`,
    )
  })
})

async function startSupervisor(folder: string): Promise<void> {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const entry = fileURLToPath(new URL('../../../src/adapters/engine-local/supervisor.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', loader, entry, folder], { stdio: 'inherit' })
  const [exitCode] = await once(child, 'exit')
  expect(exitCode).toBe(0)
}
