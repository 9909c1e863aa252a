import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Command, CommandShell } from './command-shell.ts'

let shell: CommandShell
beforeEach(() => {
  shell = new CommandShell()
})
afterEach(() => {
  shell.close()
  vi.unstubAllEnvs()
})

const aCommand = (program: string, words: readonly string[], more: Partial<Command> = {}): Command => ({
  program,
  words,
  input: '',
  environment: { PATH: process.env.PATH },
  patienceMs: 60_000,
  ...more,
})

test('a program gets its words, its input and its environment as they are, and nothing of the server’s', async () => {
  vi.stubEnv('SECRET', 'of the server')
  const text = `it's "quoted" $HOME\n\`two\` lines`
  const script = 'cat; printf "|%s|%s|%s" "$1" "$WORD" "$SECRET"'
  const { code, output } = await shell.run(
    aCommand('sh', ['-c', script, 'sh', text], {
      input: text,
      environment: { PATH: process.env.PATH, WORD: text, 'BASH_FUNC_x%%': '() { :; }' },
    }),
  )
  expect([code, output]).toEqual([0, `${text}|${text}|${text}|`])
})

test('programs run side by side, each with its own end', async () => {
  const ends = await Promise.all([3, 0, 7].map((code) => shell.run(aCommand('sh', ['-c', `exit ${code}`]))))
  expect(ends.map(({ code }) => code)).toEqual([3, 0, 7])
})

test('what it complains of is kept apart', async () => {
  const ended = await shell.run(aCommand('sh', ['-c', 'echo said; echo complained >&2']))
  expect(ended).toEqual({ code: 0, output: 'said\n', trouble: 'complained\n' })
})

test('a program that is not there ends with 127, one that takes too long with 124', async () => {
  expect((await shell.run(aCommand('no-such-program', []))).code).toBe(127)
  expect((await shell.run(aCommand('sleep', ['1000'], { patienceMs: 50 }))).code).toBe(124)
})

test('nothing of it is left in the folder for passing things', async () => {
  const folders = async () =>
    (await readdir(tmpdir())).filter((name) => name.startsWith('banyan-slurm-commands-'))
  const before = await folders()
  await shell.run(aCommand('true', []))
  const [own] = (await folders()).filter((name) => !before.includes(name))
  expect(own).toBeDefined()
  shell.close()
  await expect.poll(folders).not.toContain(own)
})
