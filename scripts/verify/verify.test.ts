import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Service } from '../debian-service.ts'
import { SUITES, type Suite } from './suites.ts'
import { judge, tallyInVitestReport } from './tally.ts'
import { verify } from './verify.ts'

const folder = mkdtempSync(join(tmpdir(), 'banyan-verify-'))
afterAll(() => rmSync(folder, { recursive: true }))

const aSuite = (name: string, script: string, more: Partial<Suite> = {}): Suite => ({
  name,
  command: [process.execPath, '-e', script],
  counts: 'one',
  ...more,
})

async function verified(
  suites: readonly Suite[],
  more: { ci?: boolean; missing?: [Service, string][] } = {},
) {
  const said: string[] = []
  const isGood = await verify(suites, {
    mustRunAll: more.ci ?? false,
    missing: new Map(more.missing),
    folder,
    say: (line) => said.push(line),
    show: () => undefined,
  })
  return { isGood, last: said.at(-1), text: said.join('\n') }
}

describe('verify', () => {
  it('runs what stands behind a failure, shows its log and fails', async () => {
    const suites = [
      aSuite('first', "console.error('the reason'); process.exit(3)"),
      aSuite('counts', "console.log('7 passed, 1 failed, 2 skipped'); process.exitCode = 1", {
        counts: 'line',
      }),
      aSuite('last', ''),
    ]
    const { isGood, last, text } = await verified(suites)
    expect(isGood).toBe(false)
    expect(last).toBe('8 passed, 2 failed, 2 skipped')
    expect(text).toContain('the reason')
    expect(text).toContain('--only first,counts')
  })

  it('passes when everything does', async () => {
    expect(await verified([aSuite('one', '')])).toMatchObject({
      isGood: true,
      last: '1 passed, 0 failed, 0 skipped',
    })
  })

  it('fails where a program cannot be started', async () => {
    const { isGood, text } = await verified([{ name: 'gone', command: ['no-such-program'], counts: 'one' }])
    expect(isGood).toBe(false)
    expect(text).toContain('cannot run no-such-program')
  })

  it('ends what a suite leaves behind, which would hold its output open for ever', async () => {
    const script = `require('child_process').spawn('sleep', ['600'], { stdio: 'inherit' }).unref()`
    expect(await verified([aSuite('leaves', script)])).toMatchObject({ isGood: true })
  })

  it('ends a suite at its limit, as failed', async () => {
    const hangs = aSuite('hangs', 'setInterval(() => {}, 1000)', { limitMinutes: 1 / 600 })
    const { last, text } = await verified([hangs])
    expect(last).toBe('0 passed, 1 failed, 0 skipped')
    expect(text).toContain('ended by verify')
  })

  describe('where a service is missing', () => {
    const suites = [aSuite('store', '', { needs: ['postgresql'] }), aSuite('other', '')]
    const missing: [Service, string][] = [['postgresql', 'install it so']]

    it('skips and says why', async () => {
      const { isGood, last, text } = await verified(suites, { missing })
      expect(isGood).toBe(true)
      expect(last).toBe('1 passed, 0 failed, 1 skipped')
      expect(text).toContain('install it so')
    })

    it('fails in CI', async () => {
      const { isGood, last } = await verified(suites, { missing, ci: true })
      expect(isGood).toBe(false)
      expect(last).toBe('1 passed, 1 failed, 0 skipped')
    })
  })

  it('fails in CI where a test was skipped', async () => {
    const suite = aSuite('some', "console.log('3 passed, 0 failed, 1 skipped')", { counts: 'line' })
    expect((await verified([suite])).isGood).toBe(true)
    expect((await verified([suite], { ci: true })).isGood).toBe(false)
  })
})

describe('judge', () => {
  it.each([
    [0, undefined, { passed: 1, failed: 0, skipped: 0 }],
    [1, undefined, { passed: 0, failed: 1, skipped: 0 }],
    [null, undefined, { passed: 0, failed: 1, skipped: 0 }],
    [1, { passed: 4, failed: 0, skipped: 0 }, { passed: 4, failed: 1, skipped: 0 }],
    [1, { passed: 4, failed: 2, skipped: 0 }, { passed: 4, failed: 2, skipped: 0 }],
    [0, { passed: 0, failed: 0, skipped: 0 }, { passed: 0, failed: 1, skipped: 0 }],
  ])('exit code %s with %o is %o', (exitCode, counted, tally) => {
    expect(judge(exitCode, counted)).toEqual(tally)
  })
})

it("reads vitest's report", () => {
  const report = { numPassedTests: 5, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1, success: false }
  expect(tallyInVitestReport(JSON.stringify(report))).toEqual({ passed: 5, failed: 1, skipped: 3 })
})

it('has suites with different names', () => {
  expect(new Set(SUITES.map(({ name }) => name)).size).toBe(SUITES.length)
})
