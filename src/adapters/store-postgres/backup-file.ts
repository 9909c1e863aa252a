import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, linkSync, rmSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { DATA_TABLES, type DataTable } from './rows.ts'
import { StoreError } from './store-error.ts'

/**
 * A backup is a gzipped text of JSON lines: a header, one line `{"TABLE":{ROW}}` for each row, and a trailer with
 * the number of rows and the SHA-256 of every byte before it. So it is whole or is seen not to be, can be read with
 * `zcat` and `jq`, and depends neither on the version of PostgreSQL nor on where the data was.
 */
export interface BackupHeader {
  readonly format: 'banyan-backup'
  readonly version: number
  readonly createdAt: string
  /** Version of the schema that the rows were read from. */
  readonly schema: number
  readonly lastSequence: number
}

export interface BackupTrailer {
  readonly rows: number
  readonly sha256: string
}

/** A row as it stands in a backup: with JSON columns as values. */
export type BackupRow = { readonly table: DataTable; readonly row: Readonly<Record<string, unknown>> }

const FORMAT_VERSION = 1

/** Writes the file beside its name first, so that under its name it is always whole. `rows` come many at a time. */
export async function writeBackupFile(
  file: string,
  about: { readonly schema: number; readonly lastSequence: number },
  rows: AsyncIterable<readonly string[]>,
): Promise<void> {
  const part = `${file}.part`
  refuseExisting(file)
  const header: BackupHeader = {
    format: 'banyan-backup',
    version: FORMAT_VERSION,
    createdAt: new Date().toISOString(),
    ...about,
  }
  try {
    // Readable for its owner only: it holds what every tenant submitted.
    const output = createWriteStream(part, { mode: 0o600, flush: true })
    await pipeline(Readable.from(framed(header, rows)), createGzip(), output)
    linkSync(part, file)
  } catch (error) {
    throw writeFailure(file, error)
  } finally {
    rmSync(part, { force: true })
  }
}

async function* framed(header: BackupHeader, rows: AsyncIterable<readonly string[]>): AsyncGenerator<string> {
  const hash = createHash('sha256')
  const hashed = (lines: readonly string[]) => {
    const text = lines.map((line) => `${line}\n`).join('')
    hash.update(text)
    return text
  }
  yield hashed([JSON.stringify(header)])
  let count = 0
  for await (const lines of rows) {
    count += lines.length
    yield hashed(lines)
  }
  const trailer: BackupTrailer = { rows: count, sha256: hash.digest('hex') }
  yield `${JSON.stringify(trailer)}\n`
}

function refuseExisting(file: string): void {
  if (!existsSync(file)) return
  throw new StoreError('file-exists', `${file} is there already. Choose another name, or delete it first.`)
}

function writeFailure(file: string, error: unknown): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error
  if (error.message.includes('EEXIST')) refuseExisting(file)
  if (error.message.includes('ENOSPC')) {
    return new StoreError('disk-full', `The disk is full, so ${file} was not written. Free some space.`, {
      cause: error,
    })
  }
  return error
}

/** Reads the whole file and returns its header; throws a `StoreError` when it is not one whole backup. */
export async function checkBackupFile(file: string): Promise<BackupHeader> {
  const hash = createHash('sha256')
  let header: BackupHeader | undefined
  let pending: string | undefined
  let rows = -1
  for await (const line of linesOf(file)) {
    header ??= headerOf(line, file)
    if (pending !== undefined) {
      hash.update(`${pending}\n`)
      rows++
    }
    pending = line
  }
  if (!header || pending === undefined) throw bad(file, 'it is empty')
  const trailer = parsed(pending, file) as Partial<BackupTrailer>
  if (trailer.sha256 === undefined) throw bad(file, 'its end is missing')
  if (trailer.rows !== rows || trailer.sha256 !== hash.digest('hex')) {
    throw bad(file, 'its content does not match the checksum at its end')
  }
  return header
}

/** The rows of a file that `checkBackupFile` found whole. */
export async function* rowsOf(file: string): AsyncGenerator<BackupRow> {
  let isHeader = true
  for await (const line of linesOf(file)) {
    if (!isHeader) {
      const [[name, row]] = Object.entries(JSON.parse(line)) as [[string, unknown]]
      const table = DATA_TABLES.find((known) => known === name)
      if (table) yield { table, row: row as BackupRow['row'] }
    }
    isHeader = false
  }
}

function headerOf(line: string, file: string): BackupHeader {
  const header = parsed(line, file) as BackupHeader
  if (header.format !== 'banyan-backup') throw bad(file, 'it does not begin as a backup of Banyan does')
  if (header.version > FORMAT_VERSION) {
    throw bad(
      file,
      `it has format ${header.version} of a newer Banyan, and this one reads up to ${FORMAT_VERSION}`,
    )
  }
  return header
}

async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = ''
  try {
    const text = createReadStream(file)
      .on('error', (error) => text.destroy(error))
      .pipe(createGunzip())
      .setEncoding('utf8')
    for await (const chunk of text) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOENT') throw bad(file, 'there is no such file', error)
    if (code === 'Z_BUF_ERROR') throw bad(file, 'its end is missing', error)
    if (code.startsWith('Z_')) throw bad(file, 'it is damaged, or no gzip file', error)
    throw error
  }
  if (rest !== '') throw bad(file, 'its end is missing')
}

function parsed(line: string, file: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw bad(file, 'a line of it is not JSON', error)
  }
}

function bad(file: string, why: string, cause?: unknown): StoreError {
  return new StoreError(
    'bad-backup',
    `${file} cannot be restored: ${why}. Nothing was changed. Use another backup.`,
    {
      cause,
    },
  )
}
