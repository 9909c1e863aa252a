import { constants } from 'node:fs'
import { access, mkdir, stat, writeFile } from 'node:fs/promises'
import type { EngineCause } from '../../control/ports/index.ts'
import { codeOf, reasonOf } from '../engine-shared/durable-file.ts'
import { refusedByMachine, refusedByUser } from '../engine-shared/refusals.ts'
import type { AttemptFolder, LaunchRecord } from './attempt-folder.ts'

/** Room for the end record: the log tails and what surrounds them. */
const BALLAST_BYTES_PER_TASK = 24 * 1024

/** Sees to it that the tasks can be started, or says why not and whose fault it is. */
export async function prepare(folder: AttemptFolder, record: LaunchRecord): Promise<EngineCause | undefined> {
  try {
    await writeFile(folder.ballast, Buffer.alloc(BALLAST_BYTES_PER_TASK * (record.tasks.length + 1), 1))
    await mkdir(folder.logs, { recursive: true, mode: 0o700 })
  } catch (error) {
    return refusedByMachine(`cannot write to ${folder.path}: ${reasonOf(error)}`)
  }
  return (await refuseWorkdir(record.workdir)) ?? (await refuseCheckpointDir(record.checkpointDir))
}

async function refuseWorkdir(workdir: string): Promise<EngineCause | undefined> {
  try {
    if (!(await stat(workdir)).isDirectory()) {
      return refusedByUser(`workdir ${workdir} is not a folder; correct \`workdir\``)
    }
    await access(workdir, constants.X_OK)
    return undefined
  } catch (error) {
    return refusedByUser(`workdir ${workdir}: ${reasonOf(error)}; create it or correct \`workdir\``)
  }
}

async function refuseCheckpointDir(path: string | undefined): Promise<EngineCause | undefined> {
  if (path === undefined) return undefined
  try {
    await mkdir(path, { recursive: true })
    return undefined
  } catch (error) {
    const message = `cannot create the checkpoint folder ${path}: ${reasonOf(error)}`
    return codeOf(error) === 'ENOSPC' ? refusedByMachine(message) : refusedByUser(message)
  }
}
