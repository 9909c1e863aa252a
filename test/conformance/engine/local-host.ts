import { once } from 'node:events'
import { createLocalEngine } from '../../../src/adapters/engine-local/index.ts'
import type { LaunchOrder } from '../../../src/control/ports/index.ts'

/** A process that hosts a local engine, launches what its parent sends, and waits to be killed. */
const [dataDir = ''] = process.argv.slice(2)
const engine = await createLocalEngine({ dataDir, slots: 2 })
process.send?.('ready')
const [orders] = (await once(process, 'message')) as [LaunchOrder[]]
await Promise.all(orders.map((order) => engine.launch(order)))
await engine.observe(undefined, new AbortController().signal)
process.send?.('launched')
