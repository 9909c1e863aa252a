import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createLocalEngine } from '../../../src/adapters/engine-local/index.ts'
import type { Engine, LaunchOrder } from '../../../src/control/ports/index.ts'
import { type EngineUnderTest, engineConformance } from './engine-conformance.ts'
import { Observer } from './observer.ts'

engineConformance('local', installLocal, { runsHere: true, capsLogs: true })

async function installLocal(): Promise<EngineUnderTest> {
  const scratch = await mkdtemp(join(tmpdir(), 'banyan engine '))
  const dataDir = join(scratch, 'data')
  let engine: Engine | undefined
  const open = async () => {
    await engine?.close()
    engine = await createLocalEngine({ dataDir, slots: 2 })
    return engine
  }
  return {
    scratch,
    open,
    launchAndDie: (order) => launchAndDie(dataDir, order),
    dispose: async () => {
      await endAll(await open(), join(dataDir, 'attempts'))
      await engine?.close()
      await rm(scratch, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

async function launchAndDie(dataDir: string, order: LaunchOrder): Promise<void> {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const host = fork(fileURLToPath(new URL('./local-host.ts', import.meta.url)), [dataDir], {
    execArgv: ['--import', loader],
  })
  await once(host, 'message')
  host.send([order])
  await once(host, 'message')
  host.kill('SIGKILL')
  await once(host, 'exit')
}

async function endAll(engine: Engine, live: string): Promise<void> {
  const observer = new Observer(engine)
  for (const name of await readdir(live)) {
    const { attempt } = JSON.parse(await readFile(join(live, name, 'order.json'), 'utf8'))
    await engine.stop(attempt, { signal: 'SIGKILL', graceMs: 0 })
    await observer.ended(attempt)
  }
}
