import { randomUUID } from 'node:crypto'
import { linkSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fateOf, ownIdentity, type ProcessIdentity } from './process-identity.ts'
import { StoreError } from './store-error.ts'

export interface FolderLock {
  release(): void
}

interface LockRecord {
  readonly holder: ProcessIdentity
  readonly since: string
}

/**
 * Takes the lock `name` of a folder for this process, or throws and says who holds it. A lock is never taken from a
 * process that may be alive.
 *
 * Lock files are numbered: `name.1`, `name.2` ... The highest one counts, and only a process that found the highest
 * one dead or released may add the next number, by link(2), of which one among several starters succeeds. Numbers are
 * never used again while a higher one is there, so a starter that was asleep between reading and linking either
 * fails to link, or finds a higher number afterwards and steps back. (Deleting the file of a dead holder and
 * making it anew would let such a starter delete the lock of a living one.) A released lock file is an empty one, since
 * emptying a file works on a full disk too.
 */
export function lockFolder(folder: string, name: string): FolderLock {
  const own: LockRecord = { holder: ownIdentity(), since: new Date().toISOString() }
  for (;;) {
    const highest = numbersOf(folder, name).at(-1) ?? 0
    if (highest > 0) {
      const path = join(folder, `${name}.${highest}`)
      const record = readRecord(path)
      if (record === 'gone') continue
      if (record !== 'released') refuseUnlessDead(record, own.holder, path, folder)
    }
    const mine = join(folder, `${name}.${highest + 1}`)
    if (!publish(own, mine)) continue
    const numbers = numbersOf(folder, name)
    if (numbers.at(-1) !== highest + 1) {
      rmSync(mine)
      continue
    }
    for (const number of numbers.slice(0, -1)) rmSync(join(folder, `${name}.${number}`), { force: true })
    return { release: () => truncateSync(mine) }
  }
}

function refuseUnlessDead({ holder, since }: LockRecord, own: ProcessIdentity, path: string, folder: string) {
  const fate = fateOf(holder, own)
  if (fate === 'dead') return
  const who = `process ${holder.pid} on ${holder.host} since ${since}`
  throw new StoreError(
    'folder-locked',
    fate === 'alive'
      ? `${folder} is in use by ${who}. Use that server, end it (kill ${holder.pid}), or choose another data folder.`
      : `${folder} was in use by ${who}, and from here it cannot be seen whether that process still runs (another ` +
          `machine or container). When it is certain that it has ended, delete ${path} and start again.`,
  )
}

function numbersOf(folder: string, name: string): number[] {
  return readdirSync(folder)
    .filter((entry) => entry.startsWith(`${name}.`))
    .map((entry) => Number(entry.slice(name.length + 1)))
    .filter((number) => Number.isSafeInteger(number) && number > 0)
    .sort((a, b) => a - b)
}

/** `gone` when a newer holder has removed it meanwhile. */
function readRecord(path: string): LockRecord | 'released' | 'gone' {
  try {
    const text = readFileSync(path, 'utf8')
    return text === '' ? 'released' : (JSON.parse(text) as LockRecord)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'gone'
    throw new StoreError(
      'folder-locked',
      `The lock file ${path} cannot be read. Delete it when no Banyan server runs.`,
      {
        cause: error,
      },
    )
  }
}

/** Whether this call made the file, which is there with its whole content or not at all. */
function publish(record: LockRecord, path: string): boolean {
  const draft = writeDraft(record, path)
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft)
  }
}

function writeDraft(record: LockRecord, path: string): string {
  const draft = `${path}-${randomUUID()}`
  writeFileSync(draft, `${JSON.stringify(record)}\n`, { flag: 'wx', flush: true })
  return draft
}
