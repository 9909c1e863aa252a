import type { Engine } from '../../control/ports/index.ts'
import { openEngineFolder } from '../engine-shared/engine-folder.ts'
import { LocalEngine } from './local-engine.ts'
import { inspectMachine, nodeIdOf } from './machine.ts'

const MIB = 2 ** 20

export interface LocalEngineOptions {
  /** Folder of this engine alone; created when it is not there. */
  readonly dataDir: string
  /** Declares this many slots and leaves GPUs alone. Without it GPUs are looked for, else each CPU is a slot. */
  readonly slots?: number
  /** Cap on the log of one task; the first eighth and the newest rest are kept. Default 64 MiB. */
  readonly logBytesPerTask?: number
  /** Cap on the logs of all finished attempts together; the oldest go first. Default 2 GiB. */
  readonly logBytesTotal?: number
  /** Takes trouble that is no fact about an attempt, for the operator. Default: standard error. */
  readonly log?: (message: string) => void
}

/**
 * The engine for this machine, with everything that earlier processes launched from the same folder adopted. Fails
 * when the folder cannot be written or the GPUs cannot be listed. Two live engines must not share a folder.
 */
export async function createLocalEngine(options: LocalEngineOptions): Promise<Engine> {
  const folder = await openEngineFolder(options.dataDir, 'local', options.logBytesTotal)
  const engine = new LocalEngine({
    live: folder.live,
    finished: folder.finished,
    slots: options.slots,
    machine: await inspectMachine(await nodeIdOf(folder.path), options.slots),
    logBytesPerTask: options.logBytesPerTask ?? 64 * MIB,
    log: options.log ?? ((message) => console.error(`engine local: ${message}`)),
  })
  await engine.adopt()
  return engine
}
