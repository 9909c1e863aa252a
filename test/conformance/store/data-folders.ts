import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../../src/adapters/store-postgres/index.ts'

export interface DataFolders {
  /** A folder with an empty store, as a first start leaves it. */
  fresh(): string
  removeAll(): void
}

/** Makes the first start once and copies what it left, since a first start takes seconds. */
export async function dataFolders(): Promise<DataFolders> {
  const root = mkdtempSync(join(tmpdir(), 'banyan-store-'))
  const template = join(root, 'template')
  await (await openStore({ dataDir: template })).close()
  let made = 0
  return {
    fresh: () => {
      const folder = join(root, `${++made}`)
      cpSync(template, folder, { recursive: true })
      return folder
    },
    removeAll: () => rmSync(root, { recursive: true, force: true }),
  }
}
