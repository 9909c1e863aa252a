/** How many tests ended how. */
export interface Tally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 }

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (total, { passed, failed, skipped }) => ({
      passed: total.passed + passed,
      failed: total.failed + failed,
      skipped: total.skipped + skipped,
    }),
    NOTHING,
  )
}

export function formatTally({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** The last line of the form that formatTally writes. */
export function tallyInOutput(output: string): Tally | undefined {
  const [, passed, failed, skipped] =
    [...output.matchAll(/^(\d+) passed, (\d+) failed, (\d+) skipped$/gm)].at(-1) ?? []
  if (passed === undefined) return undefined
  return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) }
}

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
}

export function tallyInVitestReport(json: string): Tally {
  const report = JSON.parse(json) as VitestReport
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/**
 * What a command that ended so counts as. A command that fails counts as a failure even where no test did (a
 * file that does not load, a crash at the end), and one that ran no test has shown nothing.
 */
export function judge(exitCode: number | null, counted: Tally | undefined): Tally {
  if (counted === undefined) return { ...NOTHING, [exitCode === 0 ? 'passed' : 'failed']: 1 }
  const isSilent = counted.passed + counted.failed + counted.skipped === 0
  return (exitCode !== 0 && counted.failed === 0) || isSilent ? { ...counted, failed: 1 } : counted
}
