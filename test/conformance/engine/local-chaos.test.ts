import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { createLocalEngine } from '../../../src/adapters/engine-local/index.ts'
import type { LaunchOrder } from '../../../src/control/ports/index.ts'
import { aLocalOrder } from './local-order.ts'
import { Observer } from './observer.ts'

const ATTEMPTS_PER_ROUND = 5

/** Moments of a launch, in milliseconds after it was asked for: before, while and after supervisors claim and start. */
const INSTANTS_MS = [0, 5, 15, 30, 50, 80, 120, 200, 300, 500]

test.each(INSTANTS_MS)(
  'a server killed %d ms into its launches starts every task exactly once',
  async (instantMs) => {
    const scratch = await mkdtemp(join(tmpdir(), 'banyan chaos '))
    const dataDir = join(scratch, 'data')
    try {
      const orders = await ordersFor(dataDir, scratch)
      await launchAndKill(dataDir, orders, instantMs)
      const engine = await createLocalEngine({ dataDir, slots: 2 })
      // As the control loop does for attempts that the engine does not have.
      await Promise.all(orders.map((order) => engine.launch(order)))
      const observer = new Observer(engine)
      for (const { attempt } of orders) {
        expect((await observer.ended(attempt)).exits).toMatchObject([{ exitCode: 0, stopped: false }])
        expect(await readFile(join(scratch, attempt), 'utf8')).toBe('started\n')
      }
      await engine.close()
    } finally {
      await rm(scratch, { recursive: true, force: true, maxRetries: 10 })
    }
  },
)

async function ordersFor(dataDir: string, scratch: string): Promise<LaunchOrder[]> {
  const engine = await createLocalEngine({ dataDir, slots: 2 })
  const names = Array.from({ length: ATTEMPTS_PER_ROUND }, (_, index) => `w${index + 1}.1`)
  const run = 'echo started >> "$BANYAN_ATTEMPT_ID"'
  const orders = await Promise.all(names.map((name) => aLocalOrder(engine, name, run, scratch)))
  await engine.close()
  return orders
}

async function launchAndKill(dataDir: string, orders: LaunchOrder[], instantMs: number): Promise<void> {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const host = fork(fileURLToPath(new URL('./local-host.ts', import.meta.url)), [dataDir], {
    execArgv: ['--import', loader],
  })
  await once(host, 'message')
  host.send(orders)
  await pause(instantMs)
  host.kill('SIGKILL')
  await once(host, 'exit')
}
