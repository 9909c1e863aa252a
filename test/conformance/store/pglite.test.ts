import { rmSync } from 'node:fs'
import { afterAll } from 'vitest'
import { dataFolders } from './data-folders.ts'
import { storeConformance } from './store-conformance.ts'

const folders = await dataFolders()
afterAll(() => folders.removeAll())

storeConformance('the embedded PostgreSQL', async () => {
  const dataDir = folders.fresh()
  return { location: { dataDir }, remove: () => rmSync(dataDir, { recursive: true }) }
})
