import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Io } from './io.ts'
import { runCli } from './run-cli.ts'
import { aTerminal } from './test-io.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'banyan-cli-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function banyan(line: string, changes: Partial<Io> = {}) {
  const io = aTerminal({ cwd: folder, home: folder, ...changes })
  const code = await runCli(line.split(' ').filter(Boolean), io)
  return { code, ...io.written }
}

describe('usage', () => {
  test.each([
    ['pss', "error: unknown command 'pss'\n(Did you mean ps?)\n(banyan --help lists all commands"],
    ['nodes drian', "error: too many arguments for 'list'"],
    ['ps --al', "error: unknown option '--al'\n(Did you mean --all?)"],
    ['run', "error: missing required argument 'file'"],
    ['ps --limit many', "error: option '--limit <n>' argument 'many' is invalid. It takes a whole number."],
    ['ps --state asleep', 'banyan: "asleep" is no state of a workload\nStates: queued, starting'],
    ['ps --state runing', 'banyan: "runing" is no state of a workload (did you mean "running"?)'],
    ['nodes drain n1', 'banyan: banyan nodes drain needs --reason TEXT\n'],
    ['queues set q', 'banyan: nothing to change\nGive --guaranteed'],
    ['queues set q --limit few', 'banyan: --limit takes a whole number, or none, not "few"\n'],
    ['queues set q --lendable maybe', 'banyan: --lendable takes yes or no, not "maybe"\n'],
    ['policy set ordring=fifo', 'banyan: the policy has no "ordring" (did you mean "ordering"?)\nNames: '],
    ['policy set minimumRun=long', 'banyan: minimumRunMs: "long" is not a duration'],
    ['users set ann --role boss', 'banyan: "boss" is no role\nRoles: operator, admin, member, viewer.'],
    ['usage --by galaxy', 'banyan: --by takes organisation, team, user, workload, not "galaxy"\n'],
    ['usage --from yesteryear', 'banyan: --from takes a date such as'],
    ['tokens issue --expires never', 'banyan: --expires: "never" is not a duration'],
    ['what-if', 'banyan: nothing to try\nFor example: banyan what-if --add-nodes 4'],
    ['what-if --priority w1', 'banyan: --priority takes NAME=VALUE, not "w1"'],
    ['completion tcsh', 'banyan: there is no completion for "tcsh"'],
    ['run absent.yaml', 'banyan: there is no file absent.yaml\n'],
    ['run .', 'banyan: . is a folder\n'],
    ['restore absent.gz', 'banyan: there is no file absent.gz\n'],
  ])('banyan %s', async (line, message) => {
    // A server that is never reached: the mistake must be found before anything is asked of one.
    const env = { BANYAN_URL: 'http://127.0.0.1:9', BANYAN_TOKEN: 'x' }
    const { code, err, out } = await banyan(line, { env })
    expect(err).toContain(message)
    expect(out).toBe('')
    expect(code).toBe(2)
  })

  test('a spec that is too large is refused without a server', async () => {
    writeFileSync(join(folder, 'huge.yaml'), `#${'x'.repeat(2 ** 20)}`)
    const { code, err } = await banyan('run huge.yaml')
    expect(err).toBe('banyan: huge.yaml: is larger than 1 MiB (1048577 bytes), which no spec needs\n')
    expect(code).toBe(6)
  })

  test('--set needs path=value', async () => {
    writeFileSync(join(folder, 'a.yaml'), 'type: train')
    const { code, err } = await banyan('run a.yaml --set gpus')
    expect(err).toContain('banyan: --set gpus: needs path=value\n')
    expect(code).toBe(2)
  })
})

describe('help and version', () => {
  test('--version prints the version of the package', async () => {
    const { code, out } = await banyan('--version')
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect(code).toBe(0)
  })

  test('--help lists every command under a heading, within 80 columns', async () => {
    const { code, out } = await banyan('--help')
    expect(code).toBe(0)
    for (const command of ['up', 'run', 'ps', 'explain', 'chat', 'nodes', 'tokens', 'completion']) {
      expect(out).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
    }
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })
})

describe('without a server', () => {
  test('a command says so and how to start one', async () => {
    const { code, err } = await banyan('ps')
    expect(err).toBe(
      `banyan: no Banyan server runs from ${folder}/.banyan\nStart one with \`banyan up\`, or say where one is: BANYAN_URL and BANYAN_TOKEN.\n`,
    )
    expect(code).toBe(7)
  })

  test('under --json the failure is JSON on standard error', async () => {
    const { code, err, out } = await banyan('ps --json')
    expect(JSON.parse(err)).toMatchObject({
      error: { code: 'unreachable', hint: expect.stringContaining('banyan up') },
    })
    expect(out).toBe('')
    expect(code).toBe(7)
  })

  test('a server that is named and does not answer is told by its address', async () => {
    const { code, err } = await banyan('nodes --server 127.0.0.1:9')
    expect(err).toMatch(/^banyan: no answer from Banyan at http:\/\/127\.0\.0\.1:9: /)
    expect(code).toBe(7)
  })

  test('down has nothing to do, and version knows its own', async () => {
    expect(await banyan('down')).toMatchObject({
      code: 0,
      out: `No Banyan server runs from ${folder}/.banyan.\n`,
    })
    expect((await banyan('version')).out).toMatch(/^banyan +\d+\.\d+\.\d+\nserver +none runs here\n/)
  })

  test('what a killed server left behind is not taken for a server', async () => {
    // Process 1 is alive and began long after 1970, when this file says that it was written.
    const left = { url: 'http://127.0.0.1:9', pid: 1, startedAt: 0, tokenFile: join(folder, 'token') }
    writeFileSync(join(folder, 'server.json'), JSON.stringify(left))
    const { out, code } = await banyan('down', { env: { BANYAN_DATA_DIR: folder } })
    expect(out).toBe(`No Banyan server runs from ${folder}.\n`)
    expect(code).toBe(0)
  })

  test('a broken server.json is named', async () => {
    writeFileSync(join(folder, 'server.json'), '{"url": 3')
    const { err } = await banyan('ps', { env: { BANYAN_DATA_DIR: folder } })
    expect(err).toBe(`banyan: ${folder}/server.json is broken\nRemove it; \`banyan up\` writes it anew.\n`)
  })
})

test('a data folder that cannot be made is refused', async () => {
  writeFileSync(join(folder, 'file'), '')
  const { code, err } = await banyan(`up --data ${folder}/file/data`)
  expect(err).toContain(`banyan: cannot make the data folder ${folder}/file/data: ENOTDIR`)
  expect(code).toBe(2)
})
