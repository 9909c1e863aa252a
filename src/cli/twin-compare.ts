import { writeFileSync } from 'node:fs'
import Table from 'cli-table3'
import { compare, estimateText, FIGURE_NAMES, figureTitle, reportPage, type Scenario } from '../twin/index.ts'
import { policyOf, scenarioOfFlags, type TwinFlags, wholeNumber } from './twin-flags.ts'
import { type Played, playScenario } from './twin-play.ts'

/**
 * Plays candidates over the same seeds and prints them side by side. What ends in `.yaml` or `.yml` is a scenario, the
 * rest are policies; every scenario (or the trace of the flags) is played under every policy.
 */
export async function compareRuns(what: readonly string[], flags: TwinFlags): Promise<void> {
  const seeds = Array.from({ length: wholeNumber('--seeds', flags.seeds ?? '5', 1) }, (_, i) => i + 1)
  const candidates: { readonly name: string; readonly played: readonly Played[] }[] = []
  for (const { name, scenario } of candidatesOf(what, flags)) {
    const played: Played[] = []
    for (const seed of seeds)
      played.push(await playScenario({ scenario: { ...scenario, seed }, epoch: flags.epoch }))
    candidates.push({ name, played })
  }
  const rows = compare(candidates.map(({ name, played }) => ({ name, reports: reportsOf(played) })))
  if (flags.report !== undefined) {
    const runs = candidates.map(({ name, played }) => ({ name, report: played[0]!.report }))
    const skipped = candidates[0]?.played[0]?.assembled.skipped ?? {}
    writeFileSync(flags.report, reportPage({ title: 'Twin: side by side', runs, comparison: rows, skipped }))
    process.stderr.write(`wrote ${flags.report}\n`)
  }
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(rows)}\n`)
    return
  }
  const table = new Table({ head: ['', ...rows.map(({ name }) => name)], style: { head: [], border: [] } })
  for (const figure of FIGURE_NAMES) {
    table.push([figureTitle(figure), ...rows.map((row) => estimateText(figure, row, rows[0]))])
  }
  process.stdout.write(
    `${table.toString()}\nmeans over ${seeds.length} seeds with 95 % confidence intervals, and the difference from the first, seed by seed\n`,
  )
}

function reportsOf(played: readonly Played[]) {
  return played.map(({ report }) => report)
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
