import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EmscriptenModule, openFolder } from '../../../src/adapters/store-postgres/durable-folder.ts'
import { tidyUp } from '../../../src/adapters/store-postgres/housekeeping.ts'
import { openStore } from '../../../src/adapters/store-postgres/index.ts'
import { dataFolders } from './data-folders.ts'
import { aBatch, anEvent } from './stored-things.ts'

const folders = await dataFolders()
const disks = mkdtempSync(join(tmpdir(), 'banyan-disks-'))
const canMount = tryMount()
afterAll(() => {
  folders.removeAll()
  rmSync(disks, { recursive: true })
})

describe('a data folder in use', () => {
  it('is refused with the pid that holds it, and opens once that has let go', async () => {
    const dataDir = folders.fresh()
    const first = await openStore({ dataDir })
    await expect(openStore({ dataDir })).rejects.toMatchObject({
      code: 'folder-locked',
      message: expect.stringMatching(new RegExp(`in use by process ${process.pid} .*kill ${process.pid}`)),
    })
    await first.close()
    await (await openStore({ dataDir })).close()
  })
})

describe('a data folder of another version of PostgreSQL', () => {
  it('is refused with the way to take it along', async () => {
    const dataDir = folders.fresh()
    writeFileSync(join(dataDir, 'postgres/PG_VERSION'), '19\n')
    await expect(openStore({ dataDir })).rejects.toMatchObject({
      code: 'too-new',
      message: expect.stringMatching(/written by PostgreSQL 19.*banyan backup/),
    })
  })
})

describe.skipIf(!canMount)('a disk of its own (needs the right to mount)', () => {
  let disk: string
  beforeEach(() => {
    disk = mkdtempSync(join(disks, 'disk-'))
  })
  afterEach(() => execFileSync('umount', [disk]))

  it('that cannot be written is refused with what to do', async () => {
    mount(disk, 'ro,size=1m')
    await expect(openStore({ dataDir: join(disk, 'data') })).rejects.toMatchObject({
      code: 'folder-unusable',
      message: expect.stringMatching(/cannot be written.*(EROFS|Read-only).*Choose another data folder/i),
    })
  })

  it('that is full at the first start is refused, and the next start with room finds nothing in its way', async () => {
    mount(disk, 'size=20m')
    const dataDir = join(disk, 'data')
    await expect(openStore({ dataDir })).rejects.toMatchObject({ code: 'disk-full' })
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false)
    mount(disk, 'remount,size=200m')
    const store = await openStore({ dataDir })
    expect((await store.load()).lastSequence).toBe(0)
    await store.close()
  })

  it('that fills up ends the appending, loses nothing acknowledged, and goes on when there is room', async () => {
    mount(disk, 'size=80m')
    const dataDir = join(disk, 'data')
    execFileSync('cp', ['-r', folders.fresh(), dataDir])
    const store = await openStore({ dataDir })
    const { lost } = await store.lead()
    let acknowledged = 0
    const fill = async () => {
      for (;;) {
        const events = Array.from({ length: 500 }, (_, index) => aLongEvent(acknowledged + 1 + index))
        await store.append(aBatch({ events }))
        acknowledged += events.length
      }
    }
    await expect(fill()).rejects.toMatchObject({
      code: 'disk-full',
      message: expect.stringMatching(/Free some space/),
    })
    expect(acknowledged).toBeGreaterThan(0)
    await store.close()
    await lost

    await expect(openStore({ dataDir })).rejects.toMatchObject({ code: 'disk-full' })
    mount(disk, 'remount,size=300m')
    const again = await openStore({ dataDir })
    const { lastSequence } = await again.load()
    expect(lastSequence).toBeGreaterThanOrEqual(acknowledged)
    expect(await again.events({ after: lastSequence - 1, limit: 2 })).toEqual([aLongEvent(lastSequence)])
    await again.lead()
    await again.append(aBatch({ events: [anEvent(lastSequence + 1)] }))
    await again.close()
  })
})

// Root may write everywhere, so that there is nothing to see as root.
if (process.getuid?.() !== 0) {
  describe('a data folder of somebody else', () => {
    it('is refused with what to do', async () => {
      const folder = join(disks, 'forbidden')
      mkdirSync(folder)
      chmodSync(folder, 0o500)
      await expect(openStore({ dataDir: join(folder, 'data') })).rejects.toMatchObject({
        code: 'folder-unusable',
        message: expect.stringMatching(/cannot be written.*EACCES.*Choose another data folder/),
      })
    })
  })
}

describe('the embedded PostgreSQL', () => {
  it('waits for the disk at each commit, and at no read', async () => {
    const database = await openFolder(join(folders.fresh(), 'postgres'), () => {})
    const operations = (database.Module as EmscriptenModule).FS.filesystems.NODEFS.stream_ops
    const { fsync } = operations
    const synced: number[] = []
    operations.fsync = (stream) => {
      synced.push(stream.nfd)
      return fsync?.(stream) ?? 1
    }
    const syncsOf = async (statement: string) => {
      synced.length = 0
      await database.exec(statement)
      return synced.length
    }
    await database.exec('create table kept (number integer)')
    expect(await syncsOf('insert into kept values (1)')).toBe(1)
    expect(await syncsOf('select * from kept')).toBe(0)
    expect(fsync).toBeDefined()
    await database.close()
  })

  it('ends its write-ahead log and clears dead rows by housekeeping', async () => {
    const store = await openStore({ dataDir: folders.fresh() })
    await store.lead()
    const rows = Array.from({ length: 500 }, (_, index) => ({ collection: 'a', id: `${index}` }))
    await store.append(aBatch({ documents: rows.map((row) => ({ ...row, value: 'x'.repeat(1_000) })) }))
    await store.append(aBatch({ documents: rows }))
    const measure = async () => {
      await sql`select pg_stat_force_next_flush()`.execute(store.database.reader)
      const { rows } = await sql<{ wal: number; dead: number }>`
        select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::float8 as wal,
          (select n_dead_tup from pg_stat_user_tables where relname = 'documents') as dead
        from pg_control_checkpoint()`.execute(store.database.reader)
      return rows[0] ?? { wal: 0, dead: 0 }
    }
    await measure()
    const before = await measure()
    await tidyUp(store.database.reader, 100_000)
    const after = await measure()
    await store.close()
    expect(before.wal).toBeGreaterThan(500_000)
    expect(after.wal).toBeLessThan(100_000)
    expect([before.dead, after.dead]).toEqual([500, 0])
  })
})

function aLongEvent(sequence: number) {
  const event = anEvent(sequence)
  return { ...event, cause: `${event.cause} ${'x'.repeat(500)}` }
}

function mount(folder: string, options: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' })
}

function tryMount(): boolean {
  const folder = mkdtempSync(join(disks, 'try-'))
  try {
    mount(folder, 'size=1m')
    execFileSync('umount', [folder])
    return true
  } catch {
    return false
  }
}
