import { once } from 'node:events'
import { createSlurmEngine } from '../../../src/adapters/engine-slurm/index.ts'
import type { LaunchOrder } from '../../../src/control/ports/index.ts'
import { Observer } from './observer.ts'

/** A process that hosts a Slurm engine, launches what its parent sends, and waits to be killed when it runs. */
const { rest, ...options } = JSON.parse(process.argv[2] ?? '{}')
const engine = await createSlurmEngine({
  ...options,
  ...(rest ? { rest: { ...rest, token: async () => rest.token } } : {}),
})
process.send?.('ready')
const [order] = (await once(process, 'message')) as [LaunchOrder]
await engine.launch(order)
await new Observer(engine).running(order.attempt)
process.send?.('running')
