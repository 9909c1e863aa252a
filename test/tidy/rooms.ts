/** `pure`: no host, clock, chance or async. `web`: what browsers and Node share. `node` and `browser`: that host. */
type Host = 'pure' | 'web' | 'node' | 'browser'

export interface Room {
  readonly host: Host
  /** Rooms, or parts of rooms (`control/ports`), whose files may be imported here. */
  readonly rooms: readonly string[]
  /** Packages that may be imported here, by any of their subpaths. */
  readonly packages: readonly string[]
  /** Rooms open only to the files here whose path below the room contains the word. */
  readonly ownCommands?: Readonly<Record<string, string>>
  /** Whether the room states itself as numbered rules in a SPEC.md. */
  readonly spec?: true
}

/** The rooms table of the design, with the packages allowed in each. */
const ROOMS: Readonly<Record<string, Room>> = {
  base: { host: 'pure', rooms: [], packages: ['pure-rand'] },
  model: { host: 'pure', rooms: ['base'], packages: ['zod', 'yaml', 'fastest-levenshtein'], spec: true },
  fabric: { host: 'pure', rooms: ['base', 'model'], packages: [] },
  planner: { host: 'pure', rooms: ['base', 'model', 'fabric'], packages: [] },
  scheduler: { host: 'pure', rooms: ['base', 'model'], packages: ['flatqueue'], spec: true },
  control: { host: 'pure', rooms: ['base', 'model', 'scheduler'], packages: [], spec: true },
  twin: {
    host: 'pure',
    rooms: ['base', 'model', 'fabric', 'planner', 'scheduler', 'control'],
    packages: ['flatqueue', 'pure-rand'],
    spec: true,
  },
  api: { host: 'web', rooms: ['base', 'model'], packages: ['zod', 'eventsource-parser'] },
  server: {
    host: 'node',
    rooms: [
      'base',
      'model',
      'fabric',
      'planner',
      'scheduler',
      'control',
      'twin',
      'api',
      'adapters',
      'gateway',
    ],
    packages: ['hono', '@hono/node-server', 'openid-client', 'pino', 'prom-client', 'yaml', 'zod'],
  },
  gateway: {
    host: 'node',
    rooms: ['base', 'model', 'api'],
    packages: ['hono', '@hono/node-server', 'prom-client', 'zod'],
  },
  cli: {
    host: 'node',
    rooms: ['base', 'model', 'api'],
    ownCommands: { planner: 'plan', twin: 'twin' },
    packages: ['commander', 'picocolors', 'cli-table3', 'yaml', 'fastest-levenshtein', 'eventsource-parser'],
  },
  console: { host: 'browser', rooms: ['base', 'model', 'api'], packages: ['preact', 'yaml'] },
}

const ADAPTER: Room = { host: 'node', rooms: ['base', 'model', 'control/ports'], packages: [] }

/** What an adapter may import beyond Node; one that is not named here needs no package. */
const ADAPTER_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'adapters/store-postgres': ['@electric-sql/pglite', 'pg', 'kysely'],
}

/** The room of a path under `src`: `model`, or `adapters/engine-local`; none for a path outside. */
export function roomNameOf(path: string): string | undefined {
  const [src, room, inner] = path.split('/')
  if (src !== 'src' || room === undefined) return undefined
  return room === 'adapters' ? `adapters/${inner ?? ''}` : room
}

/** All adapters have the same rights; engines may also share what every engine gives its tasks. */
export function roomCalled(name: string): Room | undefined {
  if (!name.startsWith('adapters/')) return ROOMS[name]
  const shared = name.startsWith('adapters/engine-') ? ['adapters/engine-shared'] : []
  return { ...ADAPTER, rooms: [...ADAPTER.rooms, ...shared], packages: ADAPTER_PACKAGES[name] ?? [] }
}
