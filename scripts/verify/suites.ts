import type { Service } from '../debian-service.ts'

export interface Suite {
  readonly name: string
  /** Program and arguments; programs of installed packages are found. */
  readonly command: readonly string[]
  /**
   * Where the number of tests comes from: vitest's JSON report, a last line `N passed, N failed, N skipped` that
   * the command prints, or nothing, and then the command is one test.
   */
  readonly counts: 'vitest' | 'line' | 'one'
  /** Programs that the suite runs for real; where one is absent, the suite is skipped. */
  readonly needs?: readonly Service[]
  /** The suite is ended, as failed, after so long. */
  readonly limitMinutes?: number
}

/** Everything that `npm run verify` runs, in this order: what is quick and tells most stands first. */
export const SUITES: readonly Suite[] = [
  { name: 'types', command: ['npm', 'run', 'types'], counts: 'one' },
  { name: 'lint', command: ['npm', 'run', 'lint'], counts: 'one' },
  { name: 'unused', command: ['npm', 'run', 'unused'], counts: 'one' },
  vitest('tidy'),
  vitest('unit'),
  vitest('property'),
  vitest('conformance', { needs: ['postgresql'], limitMinutes: 20 }),
  vitest('server', { limitMinutes: 20 }),
  vitest('scenarios', { limitMinutes: 20 }),
  vitest('chaos', { needs: ['postgresql'], limitMinutes: 20 }),
  vitest('torch', { needs: ['torch'] }),
  vitest('slurm', { needs: ['slurm', 'torch', 'postgresql'], limitMinutes: 20 }),
  vitest('browser', { needs: ['chromium'], limitMinutes: 20 }),
  vitest('packaging'),
]

/** A project of vitest.config.ts as a suite of the same name. */
function vitest(name: string, more: Pick<Suite, 'needs' | 'limitMinutes'> = {}): Suite {
  return { name, command: ['vitest', 'run', '--project', name], counts: 'vitest', ...more }
}
