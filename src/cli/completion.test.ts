import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { completionScript, SHELLS } from './completion.ts'
import { buildProgram } from './program.ts'
import { aTerminal } from './test-io.ts'

const program = await buildProgram(aTerminal(), ['completion'])

/** What bash itself would offer for the last of these words. */
function completed(...words: string[]): string[] {
  const script = `${completionScript(program, 'bash')}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_banyan; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', script], { encoding: 'utf8', cwd: '/' }).split('\n').filter(Boolean)
}

describe('completion in bash', () => {
  test.each([
    [['banyan', 'no'], ['nodes']],
    [['banyan', 'nodes', 'd'], ['drain']],
    [['banyan', '--json', 'nodes', 'c'], ['cordon']],
    [['banyan', 'run', '--dry'], ['--dry-run']],
    [['banyan', 'run', '--js'], ['--json']],
    [
      ['banyan', 'queues', 'set', '--li'],
      ['--limit', '--limit-per-user'],
    ],
    [['banyan', 'twin', 'c'], ['compare']],
    [['banyan', 'run', 'et'], ['etc']],
  ])('%j', (words, offered) => {
    expect(completed(...words)).toEqual(offered)
  })
})

test.each(SHELLS)('the script for %s knows every command', (shell) => {
  const script = completionScript(program, shell)
  for (const command of program.commands) expect(script).toContain(command.name())
})
