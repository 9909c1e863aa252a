import { rmSync } from 'node:fs'
import { afterAll } from 'vitest'
import { dataFolders } from './data-folders.ts'
import { readingConformance } from './reading-conformance.ts'
import { storeConformance } from './store-conformance.ts'
import { upgradeConformance } from './upgrade-conformance.ts'

const folders = await dataFolders()
afterAll(() => folders.removeAll())

const fresh = async () => {
  const dataDir = folders.fresh()
  return { location: { dataDir }, remove: () => rmSync(dataDir, { recursive: true }) }
}
storeConformance('the embedded PostgreSQL', fresh)
upgradeConformance('upgrading the embedded PostgreSQL', async () => {
  const dataDir = `${folders.fresh()}-new`
  return { location: { dataDir }, remove: () => rmSync(dataDir, { recursive: true }) }
})
readingConformance('reading the embedded PostgreSQL', fresh)
