import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { restore, StoreError } from '../adapters/store-postgres/index.ts'
import { EXIT_CODES } from '../api/index.ts'
import { parseServerOptions } from './main-options.ts'
import { storeLocation } from './store-location.ts'

/** `restore-main FILE --data DIR`: fills an empty data folder or database from a backup; prints its header as JSON. */
const [file, ...rest] = process.argv.slice(2)
const options = parseServerOptions(rest, process.env)
try {
  if (file === undefined || file.startsWith('-')) throw new Error('name the backup file first')
  if (!options.ok) throw new Error(options.error)
  await mkdir(options.value.dataDir, { recursive: true, mode: 0o700 })
  const header = await restore(resolve(file), storeLocation(options.value))
  process.stdout.write(`${JSON.stringify(header)}\n`)
} catch (error) {
  process.stderr.write(`banyan restore: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(error instanceof StoreError && error.code === 'not-empty' ? EXIT_CODES.conflict : 1)
}
