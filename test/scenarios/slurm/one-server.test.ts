import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Client } from '../../../src/api/index.ts'
import { runCli } from '../../../src/cli/run-cli.ts'
import { aTerminal } from '../../../src/cli/test-io.ts'
import { until } from '../../conformance/engine/conditions.ts'
import type { ServerProcess } from '../../server/server-process.ts'
import { SlurmSite, submitOne, when } from './slurm-server.ts'

let site: SlurmSite
let server: ServerProcess
let client: Client

beforeAll(async () => {
  site = await SlurmSite.open({ nodes: 4, gpusPerNode: 2, nodesPerLeaf: 2, slurmdTimeoutSeconds: 300 })
  server = site.server('data')
  client = await server.client()
})
afterAll(() => site?.close())

let run = 0
let marks: string
beforeEach(() => {
  marks = join(site.folder, `marks-${++run}`)
})

const waits = () => `echo $RANK >> ${marks}; until [ -e ${marks}.go ]; do sleep 0.1; done`
const go = () => writeFile(`${marks}.go`, '')

test('the tree of switches is the tree of domains', async () => {
  const { items } = await client.listNodes()
  expect(items.map(({ id, domains, gpuModel }) => [id, domains.join(' > '), gpuModel])).toEqual([
    ['gpu-001', 'spine > leaf1', 'H100'],
    ['gpu-002', 'spine > leaf1', 'H100'],
    ['gpu-003', 'spine > leaf2', 'H100'],
    ['gpu-004', 'spine > leaf2', 'H100'],
  ])
})

test('[S4] [S5] a server killed with -9 finds its gang in Slurm again, which runs once and to its end', async () => {
  const spec = { type: 'train', name: 'gang', nodes: 2, gpusPerNode: 2, tasksPer: 'node', run: waits() }
  const id = await submitOne(client, spec, site.folder)
  await when(client, id, ({ state }) => state === 'running')
  await server.end('SIGKILL')
  server = site.server('data')
  client = await server.client()
  expect((await client.getWorkload({ id })).state).toBe('running')
  await go()
  await when(client, id, ({ state }) => state === 'succeeded')
  expect((await readFile(marks, 'utf8')).trim().split('\n').sort()).toEqual(['0', '1'])
})

test('[S4] a controller that is silent ends nothing, and the nodes are shown as lost', async () => {
  const id = await submitOne(client, { type: 'train', name: 'quiet', gpus: 1, run: waits() }, site.folder)
  await when(client, id, ({ state }) => state === 'running')
  site.cluster.signal('slurmctld', 'SIGSTOP')
  try {
    await until(async () => (await client.listNodes()).items.every(({ contact }) => contact === 'lost'))
    expect((await client.getWorkload({ id })).state).toBe('running')
    expect((await client.listNodes()).items.map(({ state }) => state)).toEqual(Array(4).fill('ready'))
  } finally {
    site.cluster.signal('slurmctld', 'SIGCONT')
  }
  await until(async () => (await client.listNodes()).items.every(({ contact }) => contact === 'connected'))
  await go()
  await when(client, id, ({ state }) => state === 'succeeded')
})

describe('jobs that others submit past Banyan', () => {
  test('are seen as foreign use, scheduled around, and never touched', async () => {
    const { cluster } = site
    const wanted = ['-p', 'guests', '-N1', '-w', 'gpu-001', '--exclusive', '-o', '/dev/null']
    const job = await cluster.command('sbatch', '--parsable', ...wanted, '--wrap', 'sleep 600')
    const foreign = async () => (await client.listNodes()).items.find(({ id }) => id === 'gpu-001')?.foreign
    await until(async () => (await foreign())?.gpus.length === 2)
    expect((await foreign())?.holder).toContain(`Slurm job ${job} of root`)

    const spec = { type: 'train', name: 'around', nodes: 3, gpusPerNode: 2, tasksPer: 'node', run: waits() }
    const id = await submitOne(client, spec, site.folder)
    await when(client, id, ({ state }) => state === 'running')
    const { items } = await client.listAttempts({ id })
    const nodes = items[0]?.allocation.parts.map(({ node }) => node)
    expect(nodes?.toSorted()).toEqual(['gpu-002', 'gpu-003', 'gpu-004'])
    const all = await submitOne(client, { ...spec, name: 'all', nodes: 4, run: 'true' }, site.folder)
    await go()
    await when(client, id, ({ state }) => state === 'succeeded')
    expect((await client.getWorkload({ id: all })).state).toBe('queued')
    expect(await cluster.command('squeue', '-h', '-j', job, '-o', '%T')).toBe('RUNNING')
    await cluster.command('scancel', job)
    await when(client, all, ({ state }) => state === 'succeeded')
  })
})

test('a job that Slurm does not start is withdrawn and placed anew, at no cost to its user', async () => {
  await server.end()
  server = site.server('data', {}, ['--slurm-patience', '2s'])
  client = await server.client()
  const partition = (state: string) =>
    site.cluster.command('scontrol', 'update', 'partitionname=batch', `state=${state}`)
  await partition('DOWN')
  const spec = { type: 'train', name: 'twice', gpus: 2, run: 'true', retry: { user: 0 } }
  const id = await submitOne(client, spec, site.folder)
  await when(client, id, ({ platformFailures }) => platformFailures > 0)
  await partition('UP')
  await when(client, id, ({ state }) => state === 'succeeded')
  const [first] = (await client.listAttempts({ id })).items
  expect(first?.failure?.message).toMatch(/Slurm did not start job \d+ on gpu-\d+ within 2s: PartitionDown/)
  expect(await client.getWorkload({ id })).toMatchObject({ userFailures: 0 })
})

test('a node that Slurm keeps for others by a reservation takes nothing', async () => {
  const { cluster } = site
  const node = async () => (await client.listNodes()).items.find(({ id }) => id === 'gpu-001')
  const create = ['create', 'reservation', 'starttime=now', 'duration=60', 'users=nobody', 'nodes=gpu-001']
  await cluster.command('scontrol', ...create, 'reservationname=theirs')
  await until(async () => (await node())?.state === 'down')
  expect((await node())?.stateReason).toBe('is kept by a reservation in Slurm')
  await cluster.command('scontrol', 'delete', 'reservationname=theirs')
  await until(async () => (await node())?.state === 'ready')
})

test('a node drained in Slurm takes nothing new, and comes back when it is resumed', async () => {
  const { cluster } = site
  const node = async () => (await client.listNodes()).items.find(({ id }) => id === 'gpu-002')
  await cluster.command('scontrol', 'update', 'nodename=gpu-002', 'state=drain', 'reason=ECC errors')
  await until(async () => (await node())?.state === 'down')
  expect((await node())?.stateReason).toBe('is drained: ECC errors')
  await cluster.command('scontrol', 'update', 'nodename=gpu-002', 'state=resume')
  await until(async () => (await node())?.state === 'ready')
})

test('a node drained with Banyan is drained in Slurm too, and resumed with it', async () => {
  const { cluster } = site
  const state = () => cluster.command('sinfo', '-h', '-n', 'gpu-003', '-p', 'batch', '-o', '%T %E')
  await client.drainNode({ id: 'gpu-003', reason: 'new cables' })
  await until(async () => (await state()) === 'drained banyan: new cables')
  expect((await client.getNode({ id: 'gpu-003' })).state).toBe('cordoned')
  await client.resumeNode({ id: 'gpu-003', reason: 'done' })
  await until(async () => (await state()).startsWith('idle'))
})

test('banyan sbatch runs a script on the nodes of its list, no sooner than it begins, and warns it of its limit', async () => {
  const script = [
    '#!/bin/bash',
    '#SBATCH --nodelist=gpu-[003-004] --gpus-per-node=2 --exclude=gpu-001',
    '#SBATCH --begin=now+2 --time=1 --signal=B:USR1@54',
    `trap 'echo "$SLURM_NODEID" >> ${marks}; exit 0' USR1`,
    'while :; do sleep 0.1; done',
  ]
  await writeFile(join(site.folder, 'warned.sh'), script.join('\n'))
  const env = { BANYAN_URL: await server.ready, BANYAN_TOKEN: server.token }
  const io = aTerminal({ cwd: site.folder, env, now: Date.now })
  expect(await runCli(['sbatch', '--parsable', 'warned.sh'], io)).toBe(0)
  const id = io.written.out.trim()
  const { submittedAt } = await when(client, id, ({ state }) => state === 'succeeded')
  const { items } = await client.listAttempts({ id })
  expect(items.map(({ allocation }) => allocation.parts.map(({ node }) => node))).toEqual([
    ['gpu-003', 'gpu-004'],
  ])
  expect(items[0]!.plannedAt - submittedAt).toBeGreaterThan(1_000)
  expect((await readFile(marks, 'utf8')).trim().split('\n').sort()).toEqual(['0', '1'])
})

test('a job cancelled with scancel ends its workload with a reason that says so', async () => {
  const id = await submitOne(client, { type: 'train', name: 'theirs', gpus: 1, run: waits() }, site.folder)
  await when(client, id, ({ state }) => state === 'running')
  await until(() => existsSync(marks))
  await site.cluster.command('scancel', '-n', 'theirs')
  await expect(when(client, id, () => false)).rejects.toThrow(/was cancelled with Slurm's own commands/)
})
