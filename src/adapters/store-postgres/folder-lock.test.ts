import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockFolder } from './folder-lock.ts'
import { fateOf, ownIdentity, type ProcessIdentity } from './process-identity.ts'

describe('lockFolder', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'banyan-lock-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const leave = (number: number, holder: ProcessIdentity) =>
    writeFileSync(join(folder, `lock.${number}`), JSON.stringify({ holder, since: '2026-01-01T00:00:00Z' }))

  it('is refused while another holds it, with who holds it and what to do', () => {
    lockFolder(folder, 'lock')
    expect(() => lockFolder(folder, 'lock')).toThrow(
      new RegExp(`in use by process ${process.pid} on .* since .*kill ${process.pid}`),
    )
  })

  it('is free again after it was released, and leaves one file however often it is taken', () => {
    for (let turn = 0; turn < 5; turn++) lockFolder(folder, 'lock').release()
    expect(readdirSync(folder)).toEqual(['lock.5'])
  })

  it('is taken over from a process that has ended', () => {
    const pid = Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }))
    leave(7, { ...ownIdentity(), pid })
    lockFolder(folder, 'lock')
    expect(readdirSync(folder)).toEqual(['lock.8'])
  })

  it('is not taken from a process of which nothing can be known here, and says which file to delete', () => {
    leave(1, { ...ownIdentity(), host: 'elsewhere', boot: 'another' })
    expect(() => lockFolder(folder, 'lock')).toThrow(/on elsewhere.*cannot be seen.*delete .*lock\.1/)
    rmSync(join(folder, 'lock.1'))
    lockFolder(folder, 'lock')
  })

  it('is not taken where its file cannot be read', () => {
    writeFileSync(join(folder, 'lock.1'), '{')
    expect(() => lockFolder(folder, 'lock')).toThrow(/lock\.1 cannot be read/)
  })
})

describe('fateOf', () => {
  const own = ownIdentity()
  it.each<[string, Partial<ProcessIdentity>, 'alive' | 'dead' | 'unknown']>([
    ['this very process', {}, 'alive'],
    ['an earlier process that had the same pid', { startedAt: '1' }, 'dead'],
    ['a process before the last boot', { boot: 'earlier' }, 'dead'],
    ['a process on another machine', { boot: 'theirs', host: 'elsewhere' }, 'unknown'],
    ['a process in another container', { pidNamespace: 'pid:[1]' }, 'unknown'],
    ['a pid that no process has', { pid: 2 ** 22 + 1 }, 'dead'],
  ])('of %s', (_, difference, fate) => {
    expect(fateOf({ ...own, ...difference }, own)).toBe(fate)
  })
})
