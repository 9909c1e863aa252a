import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { statOf } from '../../src/adapters/engine-local/process-identity.ts'
import type { Client } from '../../src/api/index.ts'
import { aServer, type RunningServer, whenIn } from '../server/running-server.ts'
import { submit } from '../server/tenants.ts'

/** Programs that behave badly, under a real server and the real engine. */
describe('a task that', () => {
  let server: RunningServer
  let client: Client
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'banyan-tasks-'))
    server = await aServer()
    client = server.client()
  })
  afterAll(async () => {
    await server.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  const pidIn = (file: string) => Number(readFileSync(join(folder, file), 'utf8'))
  const submitHere = (spec: Record<string, unknown>) => submit(client, { gpus: 1, workdir: folder, ...spec })

  test('ignores SIGTERM is killed after its grace', async () => {
    const { id } = await submitHere({
      name: 'ignores-term',
      run: "trap '' TERM; echo $$ > deaf; echo deaf; while :; do sleep 0.2; done",
      checkpoint: { path: 'checkpoints', grace: '1s' },
    })
    for await (const event of client.followLog({ id })) if (event.type === 'log') break
    await client.stopWorkload({ id })
    const ended = await whenIn(client, id, 'cancelled')
    expect(ended.stateReason).toBe('stopped by user:operator')
    expect(statOf(pidIn('deaf'))).toBeUndefined()
  })

  test('forks and leaves takes what it left behind with it', async () => {
    const { id } = await submitHere({
      name: 'leaves',
      run: 'setsid sh -c "echo \\$\\$ > left; exec sleep 600" & sleep 0.5',
    })
    await whenIn(client, id, 'succeeded')
    expect(statOf(pidIn('left'))).toBeUndefined()
  })

  test('prints 100 MB at once is not held up, and its log is capped and says so', async () => {
    const { id } = await submitHere({
      name: 'prints',
      run: 'echo first; head -c 100000000 /dev/zero | tr "\\0" x | fold -w 99; echo last',
    })
    const ended = await whenIn(client, id, 'succeeded', 'failed')
    expect(ended.state).toBe('succeeded')
    let text = ''
    for await (const event of client.followLog({ id })) if (event.type === 'log') text += event.data.text
    expect(text.startsWith('first\n')).toBe(true)
    expect(text.endsWith('last\n')).toBe(true)
    expect(text).toMatch(/\[banyan: \d+ bytes of output were not kept/)
    expect(text.length).toBeLessThan(100_000_000)
  })

  test('is not there fails with the words of the shell, and is not tried again', async () => {
    const { id } = await submitHere({ name: 'absent', run: 'no-such-program --now' })
    const ended = await whenIn(client, id, 'failed')
    expect([ended.attemptCount, ended.userFailures]).toEqual([1, 1])
    expect(ended.stateReason).toMatch(/no-such-program|127|not found/)
    expect((await client.readLog({ id })).text).toMatch(/no-such-program.*not found/)
  })

  test('has no folder to run in fails and says which', async () => {
    const { id } = await submit(client, {
      name: 'nowhere',
      gpus: 1,
      workdir: join(folder, 'absent'),
      run: 'true',
    })
    const ended = await whenIn(client, id, 'failed')
    expect(ended.stateReason).toContain(join(folder, 'absent'))
  })
})
