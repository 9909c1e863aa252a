import Table from 'cli-table3'
import {
  type Comparison,
  compare,
  estimateTexts,
  FIGURE_NAMES,
  figureTitle,
  reportPage,
  type Scenario,
} from '../twin/index.ts'
import { checkWritable, writeOutput } from './file-failure.ts'
import { type Files, readFiles } from './twin-files.ts'
import { type FinishedRun, FinishedRuns, keyOfRun } from './twin-finished.ts'
import { policyOf, scenarioOfFlags, type TwinFlags, wholeNumber } from './twin-flags.ts'
import { playScenario } from './twin-play.ts'

/**
 * Plays candidates over the same seeds and prints them side by side. What ends in `.yaml` or `.yml` is a scenario, the
 * rest are policies; every scenario (or the trace of the flags) is played under every policy. What has ended is kept
 * where `--save` says, and not played again.
 */
export async function compareRuns(what: readonly string[], flags: TwinFlags): Promise<void> {
  const seedCount = wholeNumber('--seeds', flags.seeds ?? '5', 1)
  if (flags.report !== undefined) checkWritable(flags.report)
  const finished = new FinishedRuns(flags.save)
  const candidates = candidatesOf(what, flags)
  const compared: { readonly name: string; readonly runs: FinishedRun[] }[] = []
  const count = candidates.length * seedCount
  let kept = 0
  for (const { name, scenario } of candidates) {
    const files = readFiles(scenario, flags.epoch)
    const runs: FinishedRun[] = []
    for (let seed = 1; seed <= seedCount; seed++) {
      const seeded = { ...scenario, seed }
      const key = keyOfRun(seeded, files)
      const before = finished.of(key)
      const number = compared.length * seedCount + seed
      const label = `${name}, seed ${seed} (${number} of ${count})`
      const run = before ?? (await play(seeded, files, label))
      if (before) kept++
      else finished.add(key, run)
      runs.push(run)
    }
    compared.push({ name, runs })
  }
  if (kept > 0) process.stderr.write(`${kept} of ${count} runs are from ${flags.save}\n`)
  print(compared, seedCount, flags)
}

/** Of the names of figures, and of one candidate at most, with their lines. */
const WIDTHS = { figures: 34, candidate: 23 } as const

/** So many candidates fit beside each other on the terminal. */
function beside(): number {
  const columns = process.stdout.columns ?? Number.POSITIVE_INFINITY
  return Math.max(1, Math.floor((columns - WIDTHS.figures) / WIDTHS.candidate))
}

function tableOf(rows: readonly Comparison[], first: Comparison | undefined): string {
  const table = new Table({ head: ['', ...rows.map(({ name }) => name)], style: { head: [], border: [] } })
  for (const figure of FIGURE_NAMES)
    table.push([figureTitle(figure), ...rows.map((row) => cellOf(figure, row, first))])
  return table.toString()
}

function cellOf(...estimate: Parameters<typeof estimateTexts>): string {
  const { mean, interval, difference } = estimateTexts(...estimate)
  return `${mean} ${interval}`.trimEnd() + (difference === '' ? '' : `\n${difference}`)
}

async function play(scenario: Scenario, files: Files, label: string): Promise<FinishedRun> {
  const { report, assembled } = await playScenario({ scenario, files, label })
  return { report, skipped: assembled.skipped }
}

function print(
  compared: readonly { readonly name: string; readonly runs: readonly FinishedRun[] }[],
  seedCount: number,
  flags: TwinFlags,
): void {
  const rows = compare(
    compared.map(({ name, runs }) => ({ name, reports: runs.map(({ report }) => report) })),
  )
  if (flags.json) process.stdout.write(`${JSON.stringify(rows)}\n`)
  else {
    for (let from = 0; from < rows.length; from += beside())
      process.stdout.write(`${tableOf(rows.slice(from, from + beside()), rows[0])}\n`)
    process.stdout.write(
      `means over ${seedCount} seeds with 95 % confidence intervals, and the difference from the first, seed by seed\n`,
    )
  }
  if (flags.report === undefined) return
  const runs = compared.map(({ name, runs: [first] }) => ({ name, report: first!.report }))
  const { skipped } = compared[0]!.runs[0]!
  writeOutput(flags.report, reportPage({ title: 'Twin: side by side', runs, comparison: rows, skipped }))
  process.stderr.write(`wrote ${flags.report}\n`)
}

function candidatesOf(what: readonly string[], flags: TwinFlags): { name: string; scenario: Scenario }[] {
  const files = what.filter((each) => /\.ya?ml$/.test(each))
  const policies = what.filter((each) => !/\.ya?ml$/.test(each))
  const scenarios = (files.length > 0 ? files : [undefined]).map((file) => scenarioOfFlags(file, flags))
  return scenarios.flatMap((scenario) => {
    const prefix = scenarios.length > 1 ? `${scenario.name} ` : ''
    if (policies.length === 0) return [{ name: scenario.name, scenario }]
    return policies.map((text) => {
      const { policy, needsRunTimes } = policyOf(text)
      return { name: prefix + text, scenario: { ...scenario, policy, declareRunTimes: needsRunTimes } }
    })
  })
}
