import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
} from 'node:fs'
import { join } from 'node:path'
import { EmbeddedServer } from './embedded-server.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { StoreError } from './store-error.ts'

/** The major version of PostgreSQL in the PGlite that this Banyan brings. */
const POSTGRES_VERSION = '18'
/** Two segments of its write-ahead log, without which it does not start. */
const NEEDED_BYTES = 32 * 2 ** 20

/** Between the name of the database's folder and the rest of the name of a copy that is made for a backup. */
export const COPY = '.copy-'

export interface DataFolder {
  /** Where PostgreSQL has its files. */
  readonly database: string
  readonly server: EmbeddedServer
  readonly lock: FolderLock
}

/** Takes the lock and starts PostgreSQL on `<folder>/postgres`, which is made when it is not there. */
export async function openDataFolder(folder: string): Promise<DataFolder> {
  const lock = explainFolderErrors(folder, () => {
    makeFolder(folder)
    return lockFolder(folder, 'postgres.lock')
  })
  try {
    const database = join(folder, 'postgres')
    removeCopies(folder)
    if (!existsSync(database)) await makeDatabase(folder, database)
    refuseOtherVersion(folder, database)
    return { database, server: await startOn(database, folder), lock }
  } catch (error) {
    lock.release()
    throw error
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch {
    // Node reports a read-only disk as ENOENT when it makes parents too.
    mkdirSync(folder, { mode: 0o700 })
  }
}

/** Built beside and renamed when it is whole and on the disk, so that an interrupted first start leaves no half database. */
async function makeDatabase(folder: string, database: string): Promise<void> {
  const building = `${database}.new`
  explainFolderErrors(folder, () => {
    rmSync(building, { recursive: true, force: true })
    mkdirSync(building, { mode: 0o700 })
  })
  const server = await startOn(building, folder)
  await server.close()
  explainFolderErrors(folder, () => {
    syncTree(building)
    renameSync(building, database)
    sync(folder)
  })
}

/** A backup that was killed leaves its copy. */
function removeCopies(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(`postgres${COPY}`)) rmSync(join(folder, name), { recursive: true })
  }
}

function refuseOtherVersion(folder: string, database: string): void {
  const version = explainFolderErrors(folder, () => readFileSync(join(database, 'PG_VERSION'), 'utf8').trim())
  if (version === POSTGRES_VERSION) return
  throw new StoreError(
    'too-new',
    `${folder} was written by PostgreSQL ${version}, and this Banyan brings version ${POSTGRES_VERSION}. Back it up with ` +
      'the Banyan that wrote it (banyan backup FILE), and restore that file into a new data folder with this one.',
  )
}

async function startOn(database: string, folder: string): Promise<EmbeddedServer> {
  try {
    return await EmbeddedServer.start(database)
  } catch (error) {
    throw folderFailure(folder, error)
  }
}

function explainFolderErrors<Result>(folder: string, act: () => Result): Result {
  try {
    return act()
  } catch (error) {
    throw folderFailure(folder, error)
  }
}

function folderFailure(folder: string, error: unknown): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error
  const said = error.message
  if (/ENOSPC|No space left/i.test(said) || freeBytes(folder) < NEEDED_BYTES) {
    return new StoreError(
      'disk-full',
      `The disk that holds ${folder} is full: the database does not start with less than 32 MiB free. ` +
        'Free some space and start again.',
      {
        cause: error,
      },
    )
  }
  if (/EACCES|EPERM|EROFS|Permission denied|Read-only file system/i.test(said)) {
    return new StoreError(
      'folder-unusable',
      `${folder} cannot be written by this user (${said.split('\n')[0]}). Choose another data folder, or give the user ` +
        'the right to write there.',
      { cause: error },
    )
  }
  return new StoreError('folder-unusable', `The database in ${folder} cannot be opened: ${said}`, {
    cause: error,
  })
}

/** PGlite gives some failures to write no name. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) syncTree(path)
    else if (entry.isFile()) sync(path)
  }
  sync(folder)
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
