import { access, constants, mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Engine } from '../../control/ports/index.ts'
import { reasonOf } from '../engine-shared/durable-file.ts'
import { LogRetention } from '../engine-shared/log-retention.ts'
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
  const dataDir = resolve(options.dataDir)
  const live = join(dataDir, 'attempts')
  const finished = join(dataDir, 'finished')
  try {
    for (const folder of [dataDir, live, finished]) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await access(folder, constants.W_OK)
    }
  } catch (error) {
    throw new Error(`the local engine cannot write to its data folder ${dataDir}: ${reasonOf(error)}`, {
      cause: error,
    })
  }
  const retention = new LogRetention(finished, options.logBytesTotal ?? 2048 * MIB)
  await retention.load()
  const engine = new LocalEngine({
    live,
    finished,
    retention,
    slots: options.slots,
    machine: await inspectMachine(await nodeIdOf(dataDir), options.slots),
    logBytesPerTask: options.logBytesPerTask ?? 64 * MIB,
    log: options.log ?? ((message) => console.error(`engine local: ${message}`)),
  })
  await engine.adopt()
  return engine
}
