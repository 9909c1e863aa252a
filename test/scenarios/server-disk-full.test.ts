import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { ApiProblem } from '../../src/api/index.ts'
import { ServerProcess } from '../server/server-process.ts'
import { submit } from '../server/tenants.ts'

const SIZE_MIB = 160

test('a full disk refuses submissions in words, loses none that was acknowledged, and is over when there is room', async ({
  skip,
}) => {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-full-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    skip(true, 'mount(8) is not permitted here')
  }
  const server = new ServerProcess({ dataDir: join(folder, 'data') })
  try {
    const client = await server.client()
    const spec = (name: string) => ({ name, gpus: 64, run: `: ${'x'.repeat(200_000)}` })
    const taken = [(await submit(client, spec('first'))).id]
    const { bavail, bsize } = statfsSync(folder)
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - 2 ** 20)))

    let refusal: ApiProblem | undefined
    for (let i = 0; i < 400 && !refusal; i++) {
      await submit(client, spec(`fill-${i}`)).then(
        ({ id }) => taken.push(id),
        (error: ApiProblem) => {
          refusal = error
        },
      )
    }
    expect([507, 503]).toContain(refusal?.status)
    expect(refusal?.message).toMatch(/full|cannot be read|is not known/)
    expect(server.child.exitCode, server.said).toBeNull()

    rmSync(join(folder, 'ballast'))
    const again = async () => {
      for (;;) {
        const made = await submit(client, spec('after')).catch((error: ApiProblem) => error)
        if ('id' in made) return made
        expect([507, 503]).toContain(made.status)
        expect(server.child.exitCode, server.said).toBeNull()
        await wait(250)
      }
    }
    taken.push((await again()).id)
    for (const id of taken) expect((await client.getWorkload({ id })).state).toBe('queued')
  } finally {
    await server.end()
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true, force: true })
  }
})
