import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from '../../../src/api/index.ts'
import { present } from '../../../src/base/index.ts'
import { until } from '../../conformance/engine/conditions.ts'
import { type PostgresServer, startPostgres } from '../../conformance/postgres-server.ts'
import type { ServerProcess } from '../../server/server-process.ts'
import { SlurmSite, submitOne, when } from './slurm-server.ts'

let site: SlurmSite
let postgres: PostgresServer

beforeAll(async () => {
  site = await SlurmSite.open({ nodes: 4, gpusPerNode: 1 })
  postgres = present(await startPostgres(), 'PostgreSQL, which the suite needs')
})
afterAll(async () => {
  await site?.close()
  await postgres?.stop()
})

test('[S4] [S5] of two servers on one Slurm the second leads when the first is killed: nothing lost, nothing run twice', async () => {
  const databaseUrl = await postgres.createDatabase()
  const first = site.server('one', { databaseUrl })
  const client = await first.client()
  const second = site.server('two', { databaseUrl })
  const port = await standsBy(second)
  const viaSecond = createClient({ baseUrl: `http://127.0.0.1:${port}`, token: first.token })
  const marks = join(site.folder, 'marks')
  const run = `echo "$BANYAN_WORKLOAD_ID $RANK" >> ${marks}; until [ -e ${marks}.go ]; do sleep 0.1; done`
  const spec = { type: 'train', nodes: 2, gpusPerNode: 1, tasksPer: 'node', run }
  const running = await submitOne(client, { ...spec, name: 'running' }, site.folder)
  await when(client, running, ({ state }) => state === 'running')
  const others = []
  for (const name of ['starting', 'waiting', 'waiting-too']) {
    others.push(await submitOne(client, { ...spec, name }, site.folder))
  }

  expect((await viaSecond.listWorkloads({})).items.map(({ spec }) => spec.name).sort()).toEqual([
    'running',
    'starting',
    'waiting',
    'waiting-too',
  ])
  const throughSecond = await submitOne(viaSecond, { ...spec, name: 'through-second' }, site.folder)
  others.push(throughSecond)
  await when(viaSecond, throughSecond, ({ state }) => state === 'queued')

  const killedAt = performance.now()
  await first.end('SIGKILL')
  expect(await second.ready).toBe(`http://127.0.0.1:${port}`)
  const next = createClient({ baseUrl: await second.ready, token: first.token })
  await next.listWorkloads({})
  const tookMs = performance.now() - killedAt
  console.log(`the second server answered as leader ${(tookMs / 1000).toFixed(1)} s after the kill`)
  for (const id of [running, ...others]) expect((await next.getWorkload({ id })).state).not.toBe('failed')
  await writeFile(`${marks}.go`, '')
  for (const id of [running, ...others]) await when(next, id, ({ state }) => state === 'succeeded')

  const lines = (await readFile(marks, 'utf8')).trim().split('\n').sort()
  expect(lines).toEqual([running, ...others].flatMap((id) => [`${id} 0`, `${id} 1`]).sort())
})

/** The port at which a server answers that waits to lead. */
async function standsBy(server: ServerProcess): Promise<string> {
  const port = () => /"url":"[^"]+:(\d+)".*another server leads/.exec(server.said)?.[1]
  await until(() => port() !== undefined)
  return present(port(), 'port')
}
