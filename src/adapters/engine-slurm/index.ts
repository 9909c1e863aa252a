import { createHash, randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DurationMs } from '../../base/index.ts'
import { MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type { Engine } from '../../control/ports/index.ts'
import { readRecord, reasonOf, writeDurably } from '../engine-shared/durable-file.ts'
import { openEngineFolder } from '../engine-shared/engine-folder.ts'
import { SlurmCommands } from './commands.ts'
import { News } from './news.ts'
import { type RestAddress, SlurmRest } from './rest.ts'
import { SlurmEngine } from './slurm-engine.ts'

export { slurmToken } from './rest-token.ts'

const MIB = 2 ** 20

export interface SlurmEngineOptions {
  /** Folder of this engine alone, on a file system that this machine and all nodes see under the same path. */
  readonly dataDir: string
  /** The partition whose nodes are scheduled; Slurm's default one when left out. */
  readonly partition?: string
  readonly account?: string
  readonly qos?: string
  /** A topology.conf that counts instead of Slurm's own topology. */
  readonly topologyFile?: string
  /** By slurmrestd; by the commands when left out. */
  readonly rest?: RestAddress
  /** Environment of the commands; may set SLURM_CONF. */
  readonly environment?: NodeJS.ProcessEnv
  /** How often the controller is asked for all jobs. */
  readonly pollMs?: DurationMs
  /** How long a job may wait in Slurm for the nodes that it was placed on before it is placed anew. */
  readonly pendingPatienceMs?: DurationMs
  /** Cap on what is kept of one task's output. Default 64 MiB. */
  readonly logBytesPerTask?: number
  /** Cap on the logs of all finished attempts together; the oldest go first. Default 2 GiB. */
  readonly logBytesTotal?: number
  /** Takes trouble that is no fact about an attempt, for the operator. Default: standard error. */
  readonly log?: (message: string) => void
}

/**
 * The engine over a Slurm cluster, with everything that earlier servers launched from the same folder adopted. A
 * controller that does not answer is no failure here: the first observation tells. Two live engines must not share
 * a folder, which the server's leadership sees to.
 */
export async function createSlurmEngine(options: SlurmEngineOptions): Promise<Engine> {
  const folder = await openEngineFolder(options.dataDir, 'Slurm', options.logBytesTotal)
  const engine = new SlurmEngine({
    transport: options.rest
      ? new SlurmRest(options.rest)
      : new SlurmCommands(options.environment ?? process.env),
    live: folder.live,
    finished: folder.finished,
    news: await newsIn(folder.path),
    launcher: await installLauncher(folder.path),
    installation: await installationOf(folder.path),
    partition: options.partition,
    account: options.account,
    qos: options.qos,
    topology: await topologyIn(options.topologyFile),
    pollMs: options.pollMs ?? SECOND_MS,
    pendingPatienceMs: options.pendingPatienceMs ?? 2 * MINUTE_MS,
    logBytesPerTask: options.logBytesPerTask ?? 64 * MIB,
    log: options.log ?? ((message) => console.error(`engine slurm: ${message}`)),
  })
  await engine.adopt()
  return engine
}

async function newsIn(dataDir: string): Promise<News> {
  const path = join(dataDir, 'news')
  await mkdir(path, { recursive: true, mode: 0o700 })
  return new News(path)
}

/** Puts the launcher where the nodes see it; a newer one does not disturb what runs with an older. */
async function installLauncher(dataDir: string): Promise<string> {
  const text = await readFile(new URL('./launcher.sh', import.meta.url), 'utf8')
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  const path = join(dataDir, `launcher-${hash}.sh`)
  await writeFile(path, text)
  await chmod(path, 0o755)
  return path
}

async function installationOf(dataDir: string): Promise<string> {
  const path = join(dataDir, 'installation.json')
  const known = await readRecord<{ id: string }>(path)
  if (known) return known.id
  const id = randomUUID().slice(0, 8)
  await writeDurably(path, JSON.stringify({ id }))
  return id
}

async function topologyIn(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new Error(`the topology file ${path}: ${reasonOf(error)}`, { cause: error })
  }
}
