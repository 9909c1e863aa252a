import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { backup, type PostgresStore } from '../adapters/store-postgres/index.ts'

/** A backup as a stream of bytes, by way of a file in the data folder that is gone when the stream has ended. */
export async function backupStream(
  store: PostgresStore,
  dataDir: string,
): Promise<ReadableStream<Uint8Array>> {
  const file = join(dataDir, `backup-${randomUUID()}.partial`)
  try {
    await backup(store, file)
  } catch (error) {
    await rm(file, { force: true })
    throw error
  }
  const reader = createReadStream(file)
  reader.once('close', () => void rm(file, { force: true }))
  return Readable.toWeb(reader) as ReadableStream<Uint8Array>
}
