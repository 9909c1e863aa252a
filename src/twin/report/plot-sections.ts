import { formatDuration } from '../../base/index.ts'
import type { GroupFigures } from './breakdown.ts'
import { type RunReport, SLOWDOWNS, WAIT_SPANS_MS } from './insight.ts'
import {
  type NamedRun,
  note,
  plotSection,
  seconds,
  section,
  short,
  span,
  table,
  whole,
} from './page-parts.ts'
import { barPlot, type Line, linePlot } from './plot.ts'

type Runs = readonly NamedRun[]

/** What the GPUs did, moment by moment. */
export function overTimeSections(runs: Runs): string[] {
  const pick = (row: number, scale: (report: RunReport) => number) =>
    runs.map(({ name, report }) => ({
      name,
      values: (report.series.rows[row] ?? []).map((value) => value * scale(report)),
    }))
  const longest = Math.max(
    ...runs.map(({ report }) => report.series.bucketMs * (report.series.rows[0]?.length ?? 0)),
  )
  const across = { label: 'time since the first submission', from: 0, to: longest, format: span }
  const percentOfFleet = ({ gpuCount }: RunReport) => 100 / gpuCount
  const one = () => 1
  const share = { label: '% of the GPUs', format: short }
  const hasRepairs = runs.some(({ report }) => report.series.rows[1]?.some((value) => value > 0))
  return [
    plotSection('Utilisation: GPUs held', linePlot(pick(0, percentOfFleet), across, share)),
    plotSection('Queue', linePlot(pick(2, one), across, { label: 'GPUs waited for', format: short })),
    plotSection('Gangs waiting', linePlot(pick(5, one), across, { label: 'gangs', format: short })),
    plotSection('Fragmentation: free while gangs wait', linePlot(pick(3, percentOfFleet), across, share)),
    plotSection('Free GPUs on nodes in use', linePlot(pick(4, percentOfFleet), across, share)),
    ...(hasRepairs
      ? [plotSection('Nodes under repair', linePlot(pick(1, percentOfFleet), across, share))]
      : []),
  ]
}

/** How long jobs waited, and how much longer it all took for that. */
export function distributionSections(runs: Runs): string[] {
  const shares = (pick: (report: RunReport) => readonly number[]) =>
    runs.map(({ name, report }) => ({ name, values: pick(report).map((share) => 100 * share) }))
  const waits = WAIT_SPANS_MS.map((wait) => (wait === 0 ? '0' : formatDuration(wait)))
  const jobs = { label: '% of jobs', format: short }
  return [
    plotSection(
      'Share of jobs that waited at most',
      barPlot(
        waits,
        shares((report) => report.waits),
        'time queued',
        jobs,
      ),
    ),
    plotSection(
      'Share of jobs slowed down at most',
      barPlot(
        SLOWDOWNS.map(String),
        shares((report) => report.slowdowns),
        'completion over time held',
        jobs,
      ),
    ),
  ]
}

/** Who waited: jobs by their size and by their tenant. */
export function groupSections(runs: Runs): string[] {
  const fairness = runs.map(({ name, report }) =>
    runs.length === 1 ? report.fairness.toFixed(3) : `${name} ${report.fairness.toFixed(3)}`,
  )
  return [
    ...groupPlots(runs, (report) => report.bySize, 16, 'size', 'GPUs of the gang, up to'),
    ...groupPlots(runs, (report) => report.byTenant, 12, 'tenant', 'tenant, the largest first'),
    note(
      `Slow-down is the time from submission to end over the time that GPUs were held. Fairness is Jain's index over the tenants' mean slow-downs: 1 when all are slowed alike, towards 0 when few bear it all. It is ${fairness.join(', ')}.`,
    ),
    ...(runs.length === 1 ? runs.map(({ report }) => tenantTable(report)) : []),
  ]
}

function groupPlots(
  runs: Runs,
  pick: (report: RunReport) => readonly GroupFigures[],
  most: number,
  by: string,
  across: string,
): string[] {
  const all = [...new Set(runs.flatMap(({ report }) => pick(report).map(({ group }) => group)))]
  const groups = all.slice(0, most)
  const line = (name: string, report: RunReport, value: (figures: GroupFigures) => number): Line => ({
    name,
    values: groups.map((group) => {
      const found = pick(report).find((figures) => figures.group === group)
      return found ? value(found) : 0
    }),
  })
  const [only] = runs
  const lines = (mean: (figures: GroupFigures) => number, p90: (figures: GroupFigures) => number): Line[] =>
    runs.length === 1 && only
      ? [line('mean', only.report, mean), line('90 % at most', only.report, p90)]
      : runs.map(({ name, report }) => line(name, report, mean))
  const which = runs.length === 1 ? '' : ', mean'
  return [
    plotSection(
      `Time queued by ${by}${which}`,
      barPlot(
        groups,
        lines(
          ({ meanQueueS }) => meanQueueS / 3600,
          ({ p90QueueS }) => p90QueueS / 3600,
        ),
        across,
        { label: 'hours', format: short },
      ),
    ),
    plotSection(
      `Slow-down by ${by}${which}`,
      barPlot(
        groups,
        lines(
          ({ meanSlowdown }) => meanSlowdown,
          ({ p90Slowdown }) => p90Slowdown,
        ),
        across,
        { label: 'completion over time held', format: short },
      ),
    ),
  ]
}

const MOST_TENANTS = 40

function tenantTable({ byTenant }: RunReport): string {
  const left = byTenant.length - MOST_TENANTS
  return section(
    'Tenants',
    table(
      ['', 'jobs\nGPU-hours', 'queued, mean\n90 % at most', 'slow-down, mean\n90 % at most'],
      byTenant
        .slice(0, MOST_TENANTS)
        .map(({ group, jobs, gpuHours, meanQueueS, p90QueueS, meanSlowdown, p90Slowdown }) => [
          group,
          `${whole(jobs)}\n${whole(gpuHours)}`,
          `${seconds(meanQueueS)}\n${seconds(p90QueueS)}`,
          `${meanSlowdown.toFixed(2)}\n${p90Slowdown.toFixed(2)}`,
        ]),
    ) + (left > 0 ? note(`And ${left} smaller ones.`) : ''),
  )
}
