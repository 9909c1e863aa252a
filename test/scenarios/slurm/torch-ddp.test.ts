import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../conformance/engine/conditions.ts'
import { SlurmSite, submitOne, when } from './slurm-server.ts'

const EXAMPLE = fileURLToPath(new URL('../../../examples/torch-ddp', import.meta.url))
const SMALL = '--steps 1000000 --save-every 5 --batch 4 --width 32 --layers 1 --heads 2'

let site: SlurmSite

beforeAll(async () => {
  site = await SlurmSite.open({ nodes: 6, gpusPerNode: 1, nodesPerLeaf: 3, slurmdTimeoutSeconds: 5 })
})
afterAll(() => site?.close())

test('[S7] a gang of four nodes whose slurmd dies goes on from its checkpoint elsewhere, at no cost to its user', async () => {
  const client = await site.server('data').client()
  const folder = join(site.folder, 'train')
  mkdirSync(folder)
  cpSync(EXAMPLE, folder, { recursive: true })
  writeFileSync(join(folder, 'text.txt'), 'To be, or not to be, that is the question. '.repeat(200))
  const spec = {
    type: 'train',
    name: 'torch-ddp',
    nodes: 4,
    gpusPerNode: 1,
    run: `/usr/bin/python3 train.py ${SMALL}`,
    env: { TORCH_DDP_TEXT: folder, OMP_NUM_THREADS: '1', GLOO_SOCKET_IFNAME: 'lo' },
    checkpoint: { path: 'checkpoints', grace: '5s' },
    retry: { user: 0 },
  }
  const id = await submitOne(client, spec, folder)
  const before = await when(client, id, ({ checkpoint }) => (checkpoint?.step ?? 0) >= 5)
  const [first] = (await client.listAttempts({ id })).items
  const lost = first!.allocation.parts[1]!.node
  await site.cluster.end(`slurmd-${lost}`, 'SIGKILL')

  const next = async () => (await client.listAttempts({ id })).items.find(({ number }) => number > 1)
  await until(async () => {
    const attempt = await next()
    return (attempt?.progress?.step ?? 0) > (attempt?.resumedFromStep ?? Number.POSITIVE_INFINITY)
  })
  const { items } = await client.listAttempts({ id })
  expect(items[0]).toMatchObject({
    outcome: 'platform-failure',
    failure: { class: 'node-lost', node: lost, message: expect.stringContaining(`node ${lost}`) },
  })
  const last = items.at(-1)!
  expect(last.allocation.parts.map(({ node }) => node)).not.toContain(lost)
  expect(last.allocation.parts).toHaveLength(4)
  expect(last.resumedFromStep).toBeGreaterThanOrEqual(before.checkpoint!.step)
  expect(await client.getWorkload({ id })).toMatchObject({ state: 'running', userFailures: 0 })
  expect((await client.getNode({ id: lost })).state).toBe('down')

  await client.stopWorkload({ id, kill: false })
  await expect(when(client, id, () => false)).rejects.toThrow('is cancelled')
})
