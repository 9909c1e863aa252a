import { createLog } from './log.ts'
import { parseServerOptions } from './main-options.ts'
import { type RunningServer, startServer } from './server.ts'
import { BANYAN_VERSION } from './version.ts'
import { realWorld } from './worlds/real.ts'
import { twinWorld } from './worlds/twin.ts'

const options = parseServerOptions(process.argv.slice(2), process.env)
if (!options.ok) {
  process.stderr.write(`banyan server: ${options.error}\n`)
  process.exit(2)
}
const log = createLog(options.value.logLevel)

if (Number(process.versions.node.split('.')[0]) < 22) {
  log.warn({ node: process.version }, 'Node.js 20 is past its end of life; a newer one is advised')
}

let running: RunningServer | undefined
let stopping = false

async function stop(signal: string): Promise<void> {
  if (stopping) return
  stopping = true
  log.info({ signal }, 'stopping; attempts go on')
  await running?.close()
  process.exit(0)
}

process.on('SIGTERM', () => void stop('SIGTERM'))
process.on('SIGINT', () => void stop('SIGINT'))

try {
  const { twin } = options.value
  const world = twin ? await twinWorld(options.value, twin, log) : await realWorld(options.value, log)
  void world.leadershipLost.then(() => {
    if (stopping) return
    log.error('leadership was lost; another server may lead now')
    process.exit(1)
  })
  running = await startServer(world, { ...options.value, version: BANYAN_VERSION, log })
} catch (error) {
  process.stderr.write(`banyan server: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
