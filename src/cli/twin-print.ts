import Table from 'cli-table3'
import { formatDuration } from '../base/index.ts'
import { reportPage } from '../twin/index.ts'
import { writeOutput } from './file-failure.ts'
import { BORDERLESS } from './render/borderless.ts'
import type { TwinFlags } from './twin-flags.ts'
import { leftOut, type Played } from './twin-play.ts'

/** Prints one played scenario: a table for people, or with `--json` one object; what was left out goes to standard error. Throws why it could not be saved. */
export function printRun(played: Played, flags: Pick<TwinFlags, 'json' | 'report'>): void {
  const { assembled, report, scenario } = played
  const { skipped } = assembled
  if (Object.keys(skipped).length > 0) process.stderr.write(`jobs left out: ${leftOut(skipped)}\n`)
  if (report.refused > 0) process.stderr.write(`submissions refused: ${report.refused}\n`)
  const open = report.states.open ?? 0
  if (open > 0) process.stderr.write(`${open} jobs had not ended when the run did\n`)
  if (flags.json) process.stdout.write(`${JSON.stringify(jsonOf(played))}\n`)
  else process.stdout.write(`${textOf(played)}\n`)
  if (flags.report !== undefined) {
    const runs = [{ name: report.policy, report }]
    writeOutput(flags.report, reportPage({ title: `Twin: ${scenario.name}`, runs, skipped }))
    process.stderr.write(`wrote ${flags.report}\n`)
  }
  if (played.unsaved) throw played.unsaved
}

/** The fields that `banyan twin run --json` promises; and where the scenario serves models, what became of their requests. */
function jsonOf({ report, seconds, rssMiB }: Played) {
  const { jobs, ...figures } = report.summary
  return {
    jobs,
    ...figures,
    seconds: round(seconds, 3),
    jobsPerSecond: round(jobs / seconds, 1),
    rssMiB: Math.round(rssMiB),
    hash: report.hash,
    ...(report.serving.length > 0 ? { serving: report.serving } : {}),
    ...(report.machines.length > 0 ? { machines: report.machines } : {}),
  }
}

function textOf({ report, seconds, eventsPerSecond, rssMiB, scenario }: Played): string {
  const { summary, interruptions } = report
  const span = (s: number) => formatDuration(Math.round(s * 1000))
  const table = new Table({ style: { head: [], border: [] }, chars: BORDERLESS })
  table.push(
    ['scenario', scenario.name],
    ['policy', report.policy],
    ['jobs ended', `${summary.jobs} on ${report.gpuCount} GPUs`],
    ['mean completion', `${span(summary.meanCompletionS)} (${round(summary.meanCompletionS, 1)} s)`],
    [
      'mean time queued',
      `${span(summary.meanQueueS)}, p90 ${span(summary.p90QueueS)}, p99 ${span(summary.p99QueueS)}`,
    ],
    ['makespan', span(summary.makespanS)],
    ['utilisation', percent(summary.utilisation)],
    ['goodput of what was held', percent(report.goodput)],
    ['preemptions', `${summary.preemptions}`],
    ['fairness between tenants', round(report.fairness, 3)],
  )
  if (interruptions.count > 0) {
    const { count, meanHoursBetween } = interruptions
    table.push(['interruptions', `${count}, one each ${round(meanHoursBetween, 2)} h of running`])
  }
  for (const { cause, gpuHours, share } of report.waste) {
    if (gpuHours > 0) table.push([`  ${cause}`, `${hours(gpuHours)} GPU-hours, ${percent(share)}`])
  }
  for (const served of report.serving) {
    const { asked, answered } = served.outcomes
    const { firstToken, perToken } = served
    table.push(
      [served.name, `${answered} of ${asked} requests answered, ${percent(answered / Math.max(1, asked))}`],
      [
        '  first token',
        `p50 ${span(firstToken.p50)}, p90 ${span(firstToken.p90)}, p99 ${span(firstToken.p99)}`,
      ],
      ['  between tokens', `p50 ${span(perToken.p50)}, p90 ${span(perToken.p90)}, p99 ${span(perToken.p99)}`],
    )
  }
  for (const { name, asked, heldGpuHours, idleGpuHours, meanWaitS, replaced } of report.machines) {
    const idle = idleGpuHours === undefined ? '' : `, ${hours(idleGpuHours)} of them idle`
    table.push(
      [name, `${asked} asked for, ${hours(heldGpuHours)} GPU-hours held${idle}`],
      ['  waited for', `${span(meanWaitS)} in the mean; ${replaced} replaced after failures`],
    )
  }
  table.push(
    [
      'real time',
      `${round(seconds, 2)} s, ${Math.round(eventsPerSecond)} events/s, ${Math.round(rssMiB)} MiB`,
    ],
    ['hash', report.hash],
  )
  return table.toString()
}

/** Small amounts with two digits of them. */
function hours(value: number): string {
  return value >= 10 ? value.toFixed(0) : `${Number(value.toPrecision(2))}`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
