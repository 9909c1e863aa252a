import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EXIT_CODES } from '../api/problem.ts'
import { compareIds } from '../base/index.ts'
import { buildProgram } from './program.ts'
import { aTerminal } from './test-io.ts'

const text = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')

test('docs/cli.md says of every command what its JSON is', async () => {
  const program = await buildProgram(aTerminal(), [])
  const table = text.slice(text.indexOf('| command | JSON |'), text.indexOf('## Exit status'))
  const listed = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`(\S+)`/g)].map(([, name]) => name!),
  )
  expect(listed.sort(compareIds)).toEqual(program.commands.map((command) => command.name()).sort(compareIds))
})

test('docs/cli.md lists every exit status', () => {
  const table = text.slice(text.indexOf('## Exit status'))
  const listed = [...table.matchAll(/^\| (\d+) \|/gm)].map(([, status]) => Number(status))
  expect(listed).toEqual([...Object.values(EXIT_CODES), 130])
})
