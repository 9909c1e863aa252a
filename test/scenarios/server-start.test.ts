import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ServerProcess } from '../server/server-process.ts'

/** A server that cannot start says why on one line and ends with 1. */
describe('a server that cannot start', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'banyan-start-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const lastWords = async (server: ServerProcess) => {
    const { code } = await server.exited
    return { code, said: server.lines.filter((line) => line.startsWith('banyan server: ')).join('\n') }
  }

  test('says that its port is taken, and how to get another', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const { code, said } = await lastWords(new ServerProcess({ dataDir: join(folder, 'port'), port }))
    other.close()
    expect(code).toBe(1)
    expect(said).toBe(
      `banyan server: port ${port} on 127.0.0.1 is taken; choose another with --port, or 0 for any free one`,
    )
  })

  test('says that a file stands where its data folder should be', async () => {
    const dataDir = join(folder, 'file')
    writeFileSync(dataDir, '')
    const { code, said } = await lastWords(new ServerProcess({ dataDir }))
    expect(code).toBe(1)
    expect(said).toContain(dataDir)
    expect(said).toMatch(/not a folder|file/i)
  })

  test('says that its data folder is read-only', async ({ skip }) => {
    const dataDir = join(folder, 'read-only')
    mkdirSync(dataDir)
    skip(!mounted('-t', 'tmpfs', '-o', 'ro,size=1m', 'tmpfs', dataDir), 'mount(8) is not permitted here')
    try {
      const { code, said } = await lastWords(new ServerProcess({ dataDir }))
      expect(code).toBe(1)
      expect(said).toContain(dataDir)
      expect(said).toMatch(/read-only|cannot be written/i)
    } finally {
      execFileSync('umount', [dataDir])
    }
  })

  test('names the process that holds its data folder, and leaves that one alone', async () => {
    const dataDir = join(folder, 'shared')
    const first = new ServerProcess({ dataDir })
    const client = await first.client()
    const { code, said } = await lastWords(new ServerProcess({ dataDir }))
    expect(code).toBe(1)
    expect(said).toContain(`process ${first.pid} `)
    expect((await client.getHealth()).status).toBe('ok')
    await first.end()
    expect(await first.exited).toEqual({ code: 0, signal: null })
  })
})

function mounted(...options: readonly string[]): boolean {
  try {
    execFileSync('mount', options, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
