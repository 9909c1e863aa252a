import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { createSlurmEngine, type SlurmEngineOptions } from '../../../src/adapters/engine-slurm/index.ts'
import type { Engine } from '../../../src/control/ports/index.ts'
import { SlurmCluster } from '../../slurm/slurm-cluster.ts'
import { type EngineUnderTest, engineConformance } from './engine-conformance.ts'
import { launchInAnotherProcess } from './slurm-other-process.ts'

let cluster: SlurmCluster

beforeAll(async () => {
  // One GPU a node, so that every gang of the suite has several nodes.
  cluster = await SlurmCluster.start({ nodes: 2, gpusPerNode: 1, withRest: true })
})
afterAll(() => cluster?.stop())

const byCommands = async (): Promise<Partial<SlurmEngineOptions>> => ({ environment: cluster.env })

const byRest = async (): Promise<Partial<SlurmEngineOptions>> => {
  const token = await cluster.token()
  return { rest: { url: cluster.restUrl, user: 'root', token: async () => token } }
}

const traits = { runsHere: true, capsLogs: true }
engineConformance('slurm by its commands', () => install(byCommands), traits)
engineConformance('slurm by its REST daemon', () => install(byRest), traits)

async function install(way: () => Promise<Partial<SlurmEngineOptions>>): Promise<EngineUnderTest> {
  const scratch = await mkdtemp(join(tmpdir(), 'banyan slurm '))
  const options: SlurmEngineOptions = { dataDir: join(scratch, 'data'), pollMs: 100, ...(await way()) }
  let engine: Engine | undefined
  const open = async () => {
    await engine?.close()
    engine = await createSlurmEngine(options)
    return engine
  }
  return {
    scratch,
    open,
    launchAndDie: (order) => launchInAnotherProcess(cluster, options, order),
    dispose: async () => {
      await engine?.close()
      await cluster.cancelAll()
      await rm(scratch, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}
