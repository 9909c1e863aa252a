import { readFileSync } from 'node:fs'
import type { Service } from '../debian-service.ts'
import { runSuite } from './run-suite.ts'
import type { Suite } from './suites.ts'
import { formatTally, NOTHING, sum, type Tally } from './tally.ts'

export interface VerifyOptions {
  /** Whether a skipped test counts as failed: nothing may go unseen in CI. */
  readonly mustRunAll: boolean
  /** Services that are not here, each with what to do about it. */
  readonly missing: ReadonlyMap<Service, string>
  /** Where logs and reports go. */
  readonly folder: string
  readonly say: (line: string) => void
  /** Shows what a running suite said last. */
  readonly show: (line: string) => void
}

interface SuiteResult {
  readonly suite: Suite
  readonly tally: Tally
  readonly seconds: number
  readonly detail: string
}

/** Whether every suite passed. All run, whatever fails; the last line said is the sum over all tests. */
export async function verify(suites: readonly Suite[], options: VerifyOptions): Promise<boolean> {
  const results: SuiteResult[] = []
  for (const suite of suites) {
    options.show(`${suite.name} ...`)
    const result = await resultOf(suite, options)
    results.push(result)
    options.say(lineOf(result, `${results.length}/${suites.length}`))
  }
  const failed = results.filter(({ tally }) => tally.failed > 0)
  for (const { suite, detail } of failed) options.say(`\n--- ${suite.name}\n${detail}`)
  if (failed.length > 0) {
    options.say(
      `\nfailed; run again: npm run verify -- --only ${failed.map(({ suite }) => suite.name).join(',')}`,
    )
  }
  options.say(formatTally(sum(results.map(({ tally }) => tally))))
  return failed.length === 0
}

async function resultOf(suite: Suite, options: VerifyOptions): Promise<SuiteResult> {
  const reasons = (suite.needs ?? []).flatMap((service) => options.missing.get(service) ?? [])
  if (reasons.length > 0) {
    const tally = settle({ ...NOTHING, skipped: 1 }, options)
    return { suite, tally, seconds: 0, detail: reasons.join('; ') }
  }
  const startedAt = performance.now()
  const { tally, logFile } = await runSuite(suite, options.folder, (line) =>
    options.show(`${suite.name}: ${line}`),
  )
  const seconds = (performance.now() - startedAt) / 1000
  const skips =
    options.mustRunAll && tally.skipped > 0 ? `\n${tally.skipped} skipped, which CI does not allow` : ''
  return { suite, tally: settle(tally, options), seconds, detail: `${endOf(logFile)}${skips}` }
}

function settle(tally: Tally, { mustRunAll }: VerifyOptions): Tally {
  return mustRunAll ? { ...tally, failed: tally.failed + tally.skipped, skipped: 0 } : tally
}

const LOG_LINES = 120

function endOf(logFile: string): string {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n')
  const cut =
    lines.length > LOG_LINES ? `(the last ${LOG_LINES} of ${lines.length} lines in ${logFile})\n` : ''
  return cut + lines.slice(-LOG_LINES).join('\n')
}

function lineOf({ suite, tally, seconds, detail }: SuiteResult, position: string): string {
  const time = `${seconds.toFixed(1)} s`.padStart(8)
  const skipped = seconds === 0 ? `  (${detail})` : ''
  return `${position.padStart(5)}  ${suite.name.padEnd(14)}${time}  ${formatTally(tally)}${skipped}`
}
