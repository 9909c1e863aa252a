import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Engine, FailureClasses, Store } from '../control/index.ts'
import { bootstrap, tokenPath } from './bootstrap.ts'
import type { Clock } from './clock.ts'
import type { EngineCapabilities, Services } from './context.ts'
import { EndpointTraffic } from './endpoint-traffic.ts'
import { createHttp } from './http.ts'
import { Ledger } from './ledger.ts'
import { listen, reachable } from './listen.ts'
import type { Log } from './log.ts'
import { EffectRunner } from './loops/effects.ts'
import { EngineWatch } from './loops/engine-watch.ts'
import { StartForecasts } from './loops/forecasts.ts'
import { ReadinessProbes } from './loops/probes.ts'
import { Metrics } from './metrics.ts'
import { LatestRankTimes } from './rank-times.ts'
import { removeServerFile, writeServerFile } from './server-file.ts'
import { createServing } from './serving.ts'
import type { OidcSettings } from './sign-in/oidc-settings.ts'
import type { Standby } from './standby.ts'

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
  /** What answered at the server's address while another one led. */
  readonly standby?: Standby | undefined
  /** Tells servers that stand by where this one answers. */
  readonly advertise: (url: string) => Promise<void>
  /** How it is told of, when it is simulated. */
  readonly twin?: Services['twin']
  /** Lets those live who belong to it: called once the ledger serves. */
  readonly inhabit?: (ledger: Ledger) => { close(): void }
}

interface Options {
  readonly dataDir: string
  readonly host: string
  readonly port: number
  /** Where servers that stand by find this one; its host's name when left out. */
  readonly advertise?: string | undefined
  /** Where people may sign in beside with a token. */
  readonly oidc?: OidcSettings | undefined
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
  const rankTimes = new LatestRankTimes()
  watch = new EngineWatch(world.engine, ledger, rankTimes, log)
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
    rankTimes,
    clock: world.clock,
    log,
    version: options.version,
    startedAt: world.clock.now(),
    ...(world.twin ? { twin: world.twin } : {}),
    capabilities: world.capabilities,
    backUp: world.backUp,
    metrics: () => metrics.text(),
    oidc: options.oidc,
    traffic: new EndpointTraffic(ledger, metrics.registry),
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
  await world.standby?.close()
  const url = await listen(http, { host: options.host, port: world.standby?.port ?? options.port })
  await world.advertise(options.advertise ?? reachable(options.host, url))
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
