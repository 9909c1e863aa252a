import { join } from 'node:path'
import type { StoreLocation } from '../adapters/store-postgres/index.ts'
import type { ServerOptions } from './main-options.ts'

/** The database that was named, or the one embedded in the data folder. */
export function storeLocation({ databaseUrl, dataDir }: ServerOptions): StoreLocation {
  return databaseUrl === undefined ? { dataDir: join(dataDir, 'store') } : { databaseUrl }
}
