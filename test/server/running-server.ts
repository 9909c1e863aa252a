import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '../../src/api/index.ts'
import { createLog } from '../../src/server/log.ts'
import { startServer, type World } from '../../src/server/server.ts'
import type { OidcSettings } from '../../src/server/sign-in/oidc-settings.ts'
import type { TwinOptions } from '../../src/server/twin/twin-options.ts'
import { realWorld } from '../../src/server/worlds/real.ts'
import { twinWorld } from '../../src/server/worlds/twin.ts'

type Call = Omit<RequestInit, 'headers'> & {
  readonly headers?: Readonly<Record<string, string>>
  readonly token?: string | undefined
}

export interface RunningServer {
  readonly url: string
  readonly token: string
  readonly dataDir: string
  /** The typed client of whoever has this token; the operator's when left out. It repeats nothing by itself. */
  client(token?: string): Client
  /** One request as it is, for what the typed client would not send. */
  request(path: string, init?: Call): Promise<Response>
  /** Stops the server; a new one may be started on the same folder. */
  close(): Promise<void>
  /** The same, and removes the folder. */
  remove(): Promise<void>
}

interface Options {
  readonly slots?: number
  readonly dataDir?: string
  /** A simulated machine instead of this one. */
  readonly twin?: TwinOptions
  readonly port?: number
  readonly oidc?: OidcSettings
  /** Changes what the server runs on before it starts. */
  readonly change?: (world: World) => World
}

/** A server in this process on this machine: the real store, the real engine, real HTTP. */
export async function aServer({
  slots = 4,
  dataDir,
  twin,
  port = 0,
  oidc,
  change = (world) => world,
}: Options = {}): Promise<RunningServer> {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'banyan-server-'))
  const options = {
    dataDir: folder,
    host: '127.0.0.1',
    port,
    oidc,
    slots,
    databaseUrl: undefined,
    logLevel: process.env.BANYAN_LOG ?? 'silent',
  }
  const log = createLog(options.logLevel)
  const world = change(twin ? await twinWorld(options, twin, log) : await realWorld(options, log))
  const server = await startServer(world, { ...options, version: 'test', log })
  const operator = readFileSync(join(folder, 'operator.token'), 'utf8').trim()
  return {
    url: server.url,
    token: operator,
    dataDir: folder,
    client: (token = operator) => createClient({ baseUrl: server.url, token, retryPausesMs: [] }),
    request: (path, { token, ...init } = {}) =>
      fetch(`${server.url}${path}`, {
        ...init,
        headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...init.headers },
      }),
    close: () => server.close(),
    remove: async () => {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves with the workload when it is in one of these states; it is told by the server's own events. */
export async function whenIn(client: Client, id: string, ...states: readonly string[]) {
  const over = new AbortController()
  const now = () => client.getWorkload({ id })
  try {
    const events = client.followEvents({ workload: id, after: 0 }, { signal: over.signal })
    for await (const _ of events) {
      const workload = await now()
      if (states.includes(workload.state)) return workload
    }
    throw new Error(`the events of ${id} ended`)
  } finally {
    over.abort()
  }
}
