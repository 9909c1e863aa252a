import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ok, parseDuration, type Result, refuse } from '../base/index.ts'
import { type OidcSettings, readOidcSettings } from './sign-in/oidc-settings.ts'
import { parseTwinOptions, type TwinOptions } from './twin/twin-options.ts'

export interface ServerOptions {
  readonly dataDir: string
  readonly host: string
  readonly port: number
  /** Slots to declare; absent means the GPUs that there are, or else the CPUs. */
  readonly slots: number | undefined
  readonly databaseUrl: string | undefined
  /** Where other servers find this one when it leads. */
  readonly advertise?: string | undefined
  /** What runs attempts; this machine when left out. */
  readonly slurm?: SlurmOptions | undefined
  readonly logLevel: string
  /** Where people may sign in beside with a token. */
  readonly oidc?: OidcSettings | undefined
  /** A simulated machine instead of this one. */
  readonly twin?: TwinOptions
}

/** How the Slurm is reached whose nodes are scheduled. */
export interface SlurmOptions {
  /** Folder of the engine on the file system that all nodes share; in the data folder when left out. */
  readonly dir: string | undefined
  readonly partition: string | undefined
  readonly account: string | undefined
  readonly qos: string | undefined
  /** A topology.conf or topology.yaml that counts instead of Slurm's own. */
  readonly topologyFile: string | undefined
  /** Address of a slurmrestd; the commands when left out. */
  readonly rest: string | undefined
  readonly pendingPatienceMs: number | undefined
}

const DEFAULT_PORT = 7600
const TWIN_FLAGS = {
  twin: { type: 'string' },
  speed: { type: 'string' },
  load: { type: 'string' },
  seed: { type: 'string' },
  faults: { type: 'string' },
  'control-faults': { type: 'string' },
  history: { type: 'string' },
} as const

/** The options of the server process, from its arguments and environment; the command line passes them on. */
export function parseServerOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Result<ServerOptions, string> {
  let values: Record<string, string | undefined>
  try {
    values = parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        host: { type: 'string' },
        port: { type: 'string' },
        slots: { type: 'string' },
        'database-url': { type: 'string' },
        advertise: { type: 'string' },
        log: { type: 'string' },
        oidc: { type: 'string' },
        engine: { type: 'string' },
        'slurm-dir': { type: 'string' },
        'slurm-partition': { type: 'string' },
        'slurm-account': { type: 'string' },
        'slurm-qos': { type: 'string' },
        'slurm-topology': { type: 'string' },
        'slurm-rest': { type: 'string' },
        'slurm-patience': { type: 'string' },
        ...TWIN_FLAGS,
      },
    }).values
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
  const port = wholeNumber(values.port ?? env.BANYAN_PORT ?? `${DEFAULT_PORT}`, 0, 65_535)
  if (port === undefined)
    return refuse(`--port takes a number from 0 to 65535, not "${values.port ?? env.BANYAN_PORT}"`)
  const advertise = values.advertise ?? env.BANYAN_ADVERTISE
  if (advertise !== undefined && !/^https?:\/\/[^/]+\/?$/.test(advertise))
    return refuse(`--advertise takes an address such as http://banyan-1:7600, not "${advertise}"`)
  const slots = values.slots === undefined ? undefined : wholeNumber(values.slots, 1, 4096)
  if (values.slots !== undefined && slots === undefined)
    return refuse(`--slots takes a number from 1 to 4096, not "${values.slots}"`)
  const { twin, speed, load, seed, faults, 'control-faults': controlFaults, history } = values
  const asked = { twin, speed, load, seed, faults, 'control-faults': controlFaults, history }
  const twinOptions = parseTwinOptions(asked)
  if (!twinOptions.ok) return twinOptions
  if (twinOptions.value && slots !== undefined)
    return refuse('--slots is of a real machine; leave it out with --twin')
  const real = Object.keys(values).find((name) => name === 'engine' || name.startsWith('slurm-'))
  if (twinOptions.value && real !== undefined)
    return refuse(`--${real} is of a real machine; leave it out with --twin, which simulates one`)
  const slurm = twinOptions.value ? ok(undefined) : slurmOptions(values, env)
  if (!slurm.ok) return slurm
  const oidcFile = values.oidc ?? env.BANYAN_OIDC
  const oidc = oidcFile === undefined ? ok(undefined) : readOidcSettings(oidcFile, env)
  if (!oidc.ok) return oidc
  return ok({
    slurm: slurm.value,
    oidc: oidc.value,
    ...(twinOptions.value ? { twin: twinOptions.value } : {}),
    dataDir: resolve(values.data ?? env.BANYAN_DATA_DIR ?? join(homedir(), '.banyan')),
    host: values.host ?? '127.0.0.1',
    port,
    slots,
    databaseUrl: values['database-url'] ?? env.DATABASE_URL,
    advertise,
    logLevel: values.log ?? env.BANYAN_LOG ?? 'info',
  })
}

function slurmOptions(
  values: Readonly<Record<string, string | undefined>>,
  env: Readonly<Record<string, string | undefined>>,
): Result<SlurmOptions | undefined, string> {
  const engine = values.engine ?? env.BANYAN_ENGINE ?? 'local'
  const given = Object.keys(values).find((name) => name.startsWith('slurm-'))
  if (engine === 'local') {
    return given === undefined ? ok(undefined) : refuse(`--${given} goes with --engine slurm`)
  }
  if (engine !== 'slurm') return refuse(`there is no engine "${engine}"; there are local and slurm`)
  if (values.slots !== undefined)
    return refuse('--slots goes with --engine local; Slurm says what its nodes have')
  const patience = values['slurm-patience']
  const pendingPatienceMs = patience === undefined ? ok(undefined) : parseDuration(patience)
  if (!pendingPatienceMs.ok) return refuse(`--slurm-patience: ${pendingPatienceMs.error}`)
  return ok({
    dir: values['slurm-dir'],
    partition: values['slurm-partition'],
    account: values['slurm-account'],
    qos: values['slurm-qos'],
    topologyFile: values['slurm-topology'],
    rest: values['slurm-rest'],
    pendingPatienceMs: pendingPatienceMs.value,
  })
}

function wholeNumber(text: string, least: number, most: number): number | undefined {
  const value = Number(text)
  return /^\d+$/.test(text) && value >= least && value <= most ? value : undefined
}
