import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { Client } from '../../src/api/index.ts'
import { whenIn } from '../server/running-server.ts'
import { ServerProcess } from '../server/server-process.ts'
import { submit } from '../server/tenants.ts'

const folders: string[] = []
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'banyan-restart-'))
  folders.push(folder)
})
afterAll(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true })
})

/** A task that says who it is, and ends when it is told to by a file. */
const patient = {
  name: 'patient',
  gpus: 1,
  run: 'echo $$ >> pids; while [ ! -e go-on ]; do sleep 0.1; done; echo done',
}
const start = () => new ServerProcess({ dataDir: join(folder, 'data') })

async function whenItRuns(client: Client) {
  const { id } = await submit(client, { ...patient, workdir: folder })
  await whenIn(client, id, 'running')
  return id
}

describe('work goes on, and the next server adopts it, when the server', () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`is ended by ${signal}`, async () => {
      const first = start()
      const id = await whenItRuns(await first.client())
      await first.end(signal)
      expect(await first.exited).toEqual(
        signal === 'SIGTERM' ? { code: 0, signal: null } : { code: null, signal },
      )
      const second = start()
      const client = await second.client()
      const adopted = await client.getWorkload({ id })
      expect([adopted.state, adopted.attemptCount]).toEqual(['running', 1])
      writeFileSync(join(folder, 'go-on'), '')
      await whenIn(client, id, 'succeeded')
      // One line: the task of the second server's record is the process that the first one started.
      expect(readFileSync(join(folder, 'pids'), 'utf8').trim().split('\n')).toHaveLength(1)
      expect((await client.readLog({ id })).text).toBe('done\n')
      await second.end()
    })
  }

  test('was away while the task ended', async () => {
    const first = start()
    const id = await whenItRuns(await first.client())
    await first.end('SIGKILL')
    writeFileSync(join(folder, 'go-on'), '')
    const second = start()
    const client = await second.client()
    const ended = await whenIn(client, id, 'succeeded')
    expect(ended.attemptCount).toBe(1)
    await second.end()
  })
})

test('a clock that is set back an hour delays neither starts, nor retries, nor time limits', async () => {
  const steps = fileURLToPath(new URL('server-clock-step.ts', import.meta.url))
  const server = new ServerProcess({ dataDir: join(folder, 'data'), imports: [steps] })
  const client = await server.client()
  const before = await submit(client, { name: 'before', gpus: 1, run: 'true' })
  await whenIn(client, before.id, 'succeeded')
  server.child.kill('SIGUSR2')
  const retried = await submit(client, {
    name: 'retried',
    gpus: 1,
    run: '[ "$BANYAN_ATTEMPT" = 2 ]',
    retry: { user: 1 },
  })
  const limited = await submit(client, { name: 'limited', gpus: 1, run: 'sleep 600', time: { limit: '1s' } })
  const again = await whenIn(client, retried.id, 'succeeded')
  expect(again.attemptCount).toBe(2)
  expect((await whenIn(client, limited.id, 'failed')).stateReason).toMatch(/time limit/)
  const { items } = await client.listEvents({ limit: 1000 })
  const times = items.map(({ at }) => at)
  expect(times).toEqual([...times].sort((a, b) => a - b))
  await server.end()
  // And a server that starts an hour before its last event goes on as well.
  const later = new ServerProcess({ dataDir: join(folder, 'data'), imports: [steps] })
  const newClient = await later.client()
  later.child.kill('SIGUSR2')
  const after = await submit(newClient, {
    name: 'after',
    gpus: 1,
    run: '[ "$BANYAN_ATTEMPT" = 2 ]',
    retry: { user: 1 },
  })
  expect((await whenIn(newClient, after.id, 'succeeded')).attemptCount).toBe(2)
  await later.end()
})
