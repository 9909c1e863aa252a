import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Engine, FailureClasses, Store } from '../control/index.ts'
import { bootstrap, tokenPath } from './bootstrap.ts'
import type { Clock } from './clock.ts'
import type { EngineCapabilities, Services } from './context.ts'
import { createHttp } from './http.ts'
import { Ledger } from './ledger.ts'
import type { Log } from './log.ts'
import { EffectRunner } from './loops/effects.ts'
import { EngineWatch } from './loops/engine-watch.ts'
import { StartForecasts } from './loops/forecasts.ts'
import { ReadinessProbes } from './loops/probes.ts'
import { Metrics } from './metrics.ts'
import { removeServerFile, writeServerFile } from './server-file.ts'
import { createServing } from './serving.ts'

/** What a server runs on: the real machine, or the twin's. */
export interface World {
  readonly clock: Clock
  readonly engine: Engine
  readonly capabilities: EngineCapabilities
  readonly store: Store
  /** Resolves when another process may lead: this one must stop at once. */
  readonly leadershipLost: Promise<void>
  readonly storeKind: 'pglite' | 'postgres'
  readonly backUp: () => Promise<ReadableStream<Uint8Array>>
  readonly failureClasses: FailureClasses
  /** How it is told of, when it is simulated. */
  readonly twin?: Services['twin']
  /** Lets those live who belong to it: called once the ledger serves. */
  readonly inhabit?: (ledger: Ledger) => { close(): void }
}

interface Options {
  readonly dataDir: string
  readonly host: string
  readonly port: number
  readonly version: string
  readonly log: Log
}

export interface RunningServer {
  readonly url: string
  /** Stops serving and deciding; attempts go on. */
  close(): Promise<void>
}

/** How long calls under way are waited for at the end. */
const LONGEST_GOODBYE_MS = 2_000

/** Starts a server on this world: state loaded, engine reconciled, API listening. Throws when the port cannot be had. */
export async function startServer(world: World, options: Options): Promise<RunningServer> {
  const { log, dataDir } = options
  const effects = new EffectRunner(world.engine, log)
  let watch: EngineWatch | undefined
  const ledger = await Ledger.open({
    store: world.store,
    clock: world.clock,
    failureClasses: world.failureClasses,
    runEffects: (batch) => effects.run(batch),
    onReload: () => watch?.startOver(),
    log,
  })
  watch = new EngineWatch(world.engine, ledger, log)
  const probes = new ReadinessProbes(ledger)
  const forecasts = new StartForecasts(ledger, world.clock, log)
  const metrics = new Metrics(ledger)
  const stopping = new AbortController()
  const services: Omit<Services, 'outstanding'> = {
    ledger,
    store: world.store,
    storeKind: world.storeKind,
    engine: world.engine,
    forecasts,
    clock: world.clock,
    log,
    version: options.version,
    startedAt: world.clock.now(),
    ...(world.twin ? { twin: world.twin } : {}),
    capabilities: world.capabilities,
    backUp: world.backUp,
    metrics: () => metrics.text(),
    stopping: stopping.signal,
  }

  await bootstrap(ledger, dataDir)
  await watch.start()
  probes.start()
  forecasts.start()
  const inhabitants = world.inhabit?.(ledger)

  const gateway = createServing(services, metrics)
  const app = createHttp({ ...services, outstanding: gateway.outstanding })
  const answer = getRequestListener(app.fetch)
  // The gateway stands beside the API on plain node:http, where a streamed answer passes through at once.
  const http = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '/'
    if (gateway.handles(path)) gateway.handle(request, response)
    else void answer(request, response)
  })
  const { port } = await listen(http, options)
  const url = `http://${urlHost(options.host)}:${port}`
  await writeServerFile(dataDir, {
    url,
    pid: process.pid,
    // By the wall's clock, whatever the world's: it is compared with when the process began.
    startedAt: Date.now(),
    tokenFile: tokenPath(dataDir),
  })
  log.info({ url, dataDir, engine: world.engine.id, store: world.storeKind }, 'Banyan answers')

  return {
    url,
    close: async () => {
      stopping.abort()
      await removeServerFile(dataDir, process.pid)
      const closed = new Promise<void>((resolve) => http.close(() => resolve()))
      http.closeIdleConnections()
      const hurry = setTimeout(() => http.closeAllConnections(), LONGEST_GOODBYE_MS)
      await closed
      clearTimeout(hurry)
      inhabitants?.close()
      gateway.close()
      probes.close()
      forecasts.close()
      await watch?.close()
      effects.close()
      await ledger.close()
      await world.engine.close()
      await world.store.close()
    },
  }
}

function listen(http: Server, { host, port }: Options): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      reject(
        taken
          ? new Error(`port ${port} on ${host} is taken; choose another with --port, or 0 for any free one`)
          : new Error(`cannot listen on ${host}:${port}: ${error.message}`),
      )
    })
    http.listen(port, host, () => resolve(http.address() as AddressInfo))
  })
}

/** An address that listens everywhere is reached here by loopback; IPv6 stands in brackets. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
