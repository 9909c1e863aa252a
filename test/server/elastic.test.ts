import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client } from '../../src/api/index.ts'
import { aServer, type RunningServer, whenIn } from './running-server.ts'
import { submit } from './tenants.ts'

let server: RunningServer
let folder: string
beforeAll(async () => {
  server = await aServer({ slots: 2 })
  folder = mkdtempSync(join(tmpdir(), 'banyan-elastic-'))
})
afterAll(async () => {
  await server.remove()
  rmSync(folder, { recursive: true })
})

const PROGRAM = `echo "$RANK of $WORLD_SIZE begins" >> "$BANYAN_CHECKPOINT_DIR/log"
trap 'echo "$RANK of $WORLD_SIZE saves" >> "$BANYAN_CHECKPOINT_DIR/log"; exit 0' TERM
while :; do sleep 0.05; done`

test('[C19] processes of an elastic gang start again at another size as room comes and goes, and save before', async () => {
  const client = server.client()
  await client.setPolicy({ minimumRunMs: 0, growAfterMs: 0, evictionGraceMs: 1_000 })
  const holder = await submit(client, { name: 'holder', gpus: 1, run: 'sleep 600' })
  await whenIn(client, holder.id, 'running')
  const elastic = await submit(client, {
    name: 'elastic',
    gpus: 2,
    elastic: { min: 1 },
    checkpoint: { path: join(folder, 'saves') },
    time: '4h',
    run: PROGRAM,
  })
  await whenIn(client, elastic.id, 'running')

  await client.stopWorkload({ id: holder.id, kill: true })
  await whenRunning(client, elastic.id, 2)
  const urgent = await submit(client, {
    name: 'urgent',
    gpus: 1,
    priority: 'high',
    run: 'sleep 600',
    time: '1h',
  })
  await whenIn(client, urgent.id, 'running')
  await whenRunning(client, elastic.id, 3)

  const { items } = await client.listAttempts({ id: elastic.id })
  expect(items.map(({ allocation, outcome }) => [allocation.parts[0]!.gpus.length, outcome])).toEqual([
    [1, 'preempted'],
    [2, 'preempted'],
    [1, undefined],
  ])
  expect(
    items.map(({ stop }) => stop && { reason: stop.reason, for: stop.for, resize: stop.resize }),
  ).toEqual([
    { reason: 'resized', for: elastic.id, resize: { from: 1, to: 2 } },
    { reason: 'resized', for: urgent.id, resize: { from: 2, to: 1 } },
    undefined,
  ])
  const workload = await client.getWorkload({ id: elastic.id })
  expect(workload).toMatchObject({ state: 'running', userFailures: 0, platformFailures: 0 })

  const log = readFileSync(join(folder, 'saves', 'log'), 'utf8')
    .trim()
    .split('\n')
  expect(log.slice(0, 6).toSorted()).toEqual([
    '0 of 1 begins',
    '0 of 1 saves',
    '0 of 2 begins',
    '0 of 2 saves',
    '1 of 2 begins',
    '1 of 2 saves',
  ])
})

async function whenRunning(client: Client, workload: string, attempt: number): Promise<void> {
  const over = new AbortController()
  for await (const { type, data } of client.followEvents({ workload, after: 0 }, { signal: over.signal })) {
    if (type !== 'event') continue
    const { event } = data
    if (event.kind === 'attempt-running' && event.attempt === `${workload}.${attempt}`) break
  }
  over.abort()
}
