import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { benchTable } from './table.ts'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
const BENCHES = Object.entries(manifest.scripts).filter(([name]) => name.startsWith('bench:'))

describe('every benchmark', { timeout: 60_000 }, () => {
  it.each(BENCHES)('%s tells its options, and refuses others in one line', (name, script) => {
    const [program = '', ...args] = script.split(' ')
    const run = (flag: string) =>
      spawnSync('npx', ['--no-install', program, ...args, flag], { cwd: REPOSITORY, encoding: 'utf8' })
    const helped = run('--help')
    expect(helped).toMatchObject({ status: 0, stderr: '' })
    expect(helped.stdout).toContain(`npm run ${name} -- [--`)
    expect(run('--speling')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: "Unknown option '--speling'; --help tells what there is.\n",
    })
  })
})

it('prints tables plainly', () => {
  expect(
    benchTable(
      ['nodes', 'ms'],
      [
        ['few', 1.5],
        ['more', 12],
      ],
    ),
  ).toBe(
    [
      '┌───────┬─────┐',
      '│ nodes │  ms │',
      '├───────┼─────┤',
      '│ few   │ 1.5 │',
      '│ more  │  12 │',
      '└───────┴─────┘',
    ].join('\n'),
  )
})
