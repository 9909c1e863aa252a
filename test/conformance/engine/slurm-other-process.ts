import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { SlurmEngineOptions } from '../../../src/adapters/engine-slurm/index.ts'
import type { LaunchOrder } from '../../../src/control/ports/index.ts'
import type { SlurmCluster } from '../../slurm/slurm-cluster.ts'

/** Launches in a server of its own, which is killed with -9 when the attempt runs. */
export async function launchInAnotherProcess(
  cluster: SlurmCluster,
  { rest, environment: _, ...options }: SlurmEngineOptions,
  order: LaunchOrder,
): Promise<void> {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const told = { ...options, ...(rest ? { rest: { ...rest, token: await rest.token() } } : {}) }
  const host = fork(fileURLToPath(new URL('./slurm-host.ts', import.meta.url)), [JSON.stringify(told)], {
    execArgv: ['--import', loader],
    env: cluster.env,
  })
  await once(host, 'message')
  host.send(order)
  await once(host, 'message')
  host.kill('SIGKILL')
  await once(host, 'exit')
}
