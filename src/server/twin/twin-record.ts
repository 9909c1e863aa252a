import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TwinOptions } from './twin-options.ts'

/** What a data folder remembers of the twin whose it is: all that its machine and its people follow from. */
export interface TwinRecord {
  readonly template: string
  readonly nodes: number
  readonly seed: number
  readonly load: number
  readonly faults: number
  /** Milliseconds of its own time since the epoch. */
  readonly foundedAt: number
  readonly historyMs: number
  /** Where its served models answered last. */
  readonly replicaPort?: number
}

function pathOf(dataDir: string): string {
  return join(dataDir, 'twin.json')
}

/** The record in the data folder; undefined when it is no twin's. */
export async function readTwinRecord(dataDir: string): Promise<TwinRecord | undefined> {
  const text = await readFile(pathOf(dataDir), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as TwinRecord
  } catch (error) {
    throw new Error(`${pathOf(dataDir)} is broken; remove the data folder and begin a new twin`, {
      cause: error,
    })
  }
}

export async function writeTwinRecord(dataDir: string, record: TwinRecord): Promise<void> {
  const beside = `${pathOf(dataDir)}.new`
  await writeFile(beside, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  await rename(beside, pathOf(dataDir))
}

/** What was asked for that this twin is not; undefined when it is the same. Its speed may differ each time. */
export function differenceFrom(record: TwinRecord, options: TwinOptions): string | undefined {
  for (const name of ['template', 'nodes', 'seed', 'load', 'faults'] as const) {
    if (record[name] !== options[name]) return `its ${name} is ${record[name]}, not ${options[name]}`
  }
  return undefined
}
