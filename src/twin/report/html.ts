import { formatDuration } from '../../base/index.ts'
import type { GroupFigures } from './breakdown.ts'
import { type Comparison, FIGURE_NAMES, type Figure } from './compare.ts'
import { type RunReport, WAIT_SPANS_MS } from './insight.ts'
import { percent, seconds, section, short, span, table, whole } from './page-parts.ts'
import { barPlot, escapeXml, linePlot } from './plot.ts'
import { servingSections } from './serving-section.ts'

export interface ReportPage {
  readonly title: string
  /** One or more runs; with several the plots lay them over each other. */
  readonly runs: readonly { readonly name: string; readonly report: RunReport }[]
  readonly comparison?: readonly Comparison[]
  readonly skipped: Readonly<Record<string, number>>
}

/** One self-contained page: no script, no font, no picture from elsewhere; the same runs give the same bytes. */
export function reportPage(page: ReportPage): string {
  const body = [
    `<h1>${escapeXml(page.title)}</h1>`,
    ...(page.comparison ? [comparisonTable(page.comparison)] : []),
    ...(page.comparison ? [] : page.runs.map(({ report }) => headline(report))),
    skippedNote(page.skipped),
    ...overTime(page),
    waits(page),
    ...groupPlots(page),
    ...servingSections(page.runs),
    ...page.runs.map(({ name, report }) => wasteTable(name, report)),
    ...page.runs.map(({ name, report }) => failures(name, report)),
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeXml(page.title)}</title><style>${STYLE}</style></head>
<body>${body.join('\n')}</body></html>
`
}

const STYLE = `body{font:15px/1.45 system-ui,sans-serif;max-width:760px;margin:1rem auto;padding:0 .8rem;color:#1b1b1b;background:#fff}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.6rem 0 .3rem}
.plot{width:100%;height:auto}.plot text{font:11px system-ui,sans-serif;fill:#444}.grid{stroke:#ddd}
.legend{margin:0;font-size:.85rem;color:#333}.legend span{margin-right:1rem;white-space:nowrap}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;width:100%}th,td{padding:.2rem .5rem;text-align:right;border-bottom:1px solid #e5e5e5}
th:first-child,td:first-child{text-align:left}.note{color:#555;font-size:.85rem}
@media print{body{max-width:none;margin:0}section{break-inside:avoid}}`

function headline({ summary, gpuCount, policy, seed, goodput, fairness, hash }: RunReport): string {
  return table(
    ['', ''],
    [
      ['policy', policy],
      ['GPUs', whole(gpuCount)],
      ['jobs ended', whole(summary.jobs)],
      ['mean completion', seconds(summary.meanCompletionS)],
      ['mean time queued', seconds(summary.meanQueueS)],
      ['p90, p99 time queued', `${seconds(summary.p90QueueS)}, ${seconds(summary.p99QueueS)}`],
      ['makespan', seconds(summary.makespanS)],
      ['utilisation', percent(summary.utilisation)],
      ['goodput of what was held', percent(goodput)],
      ['preemptions', whole(summary.preemptions)],
      ['fairness of slow-down between tenants (Jain)', fairness.toFixed(3)],
      ['seed, hash', `${seed}, ${hash}`],
    ],
  )
}

function comparisonTable(rows: readonly Comparison[]): string {
  const cell = (figure: Figure, { figures }: Comparison) => {
    const { mean, low, high } = figures[figure]
    const text = figureText(figure, mean)
    return high > low ? `${text} ± ${figureText(figure, (high - low) / 2)}` : text
  }
  const against = (figure: Figure, row: Comparison) => {
    const first = rows[0]?.figures[figure].mean ?? 0
    const difference = row.against?.[figure]
    if (!difference || first === 0) return ''
    const isClear = difference.low > 0 || difference.high < 0
    return ` (${difference.mean >= 0 ? '+' : ''}${((100 * difference.mean) / first).toFixed(1)} %${isClear ? '' : ', not clear'})`
  }
  return section(
    'Side by side',
    table(
      ['', ...rows.map(({ name }) => name)],
      FIGURE_NAMES.map((figure) => [figure, ...rows.map((row) => cell(figure, row) + against(figure, row))]),
    ) +
      `<p class="note">Means over ${rows[0]?.seeds ?? 0} seeds with 95 % confidence intervals; in brackets the difference from the first, seed by seed.</p>`,
  )
}

/** A figure with its unit. */
export function figureText(figure: Figure, value: number): string {
  if (figure.endsWith('S')) return seconds(value)
  if (figure === 'utilisation' || figure === 'goodput') return percent(value)
  return figure === 'fairness' ? value.toFixed(3) : whole(value)
}

function overTime({ runs }: ReportPage): string[] {
  const pick = (row: number, scale: (report: RunReport) => number) =>
    runs.map(({ name, report }) => ({
      name,
      values: (report.series.rows[row] ?? []).map((value) => value * scale(report)),
    }))
  const longest = Math.max(
    ...runs.map(({ report }) => report.series.bucketMs * (report.series.rows[0]?.length ?? 0)),
  )
  const across = { label: 'time', from: 0, to: longest, format: span }
  const percentOfFleet = ({ gpuCount }: RunReport) => 100 / gpuCount
  const one = () => 1
  const share = { label: '% of the GPUs', format: short }
  return [
    section('Utilisation', linePlot(pick(0, percentOfFleet), across, share)),
    section('Queue', linePlot(pick(2, one), across, { label: 'GPUs waited for', format: short })),
    section('Gangs waiting', linePlot(pick(5, one), across, { label: 'gangs', format: short })),
    section(
      'Fragmentation: free while gangs waited for them',
      linePlot(pick(3, percentOfFleet), across, share),
    ),
    section('Free GPUs outside wholly free nodes', linePlot(pick(4, percentOfFleet), across, share)),
    ...(runs.some(({ report }) => report.series.rows[1]?.some((value) => value > 0))
      ? [section('Under repair', linePlot(pick(1, percentOfFleet), across, share))]
      : []),
  ]
}

function waits({ runs }: ReportPage): string {
  const lines = runs.map(({ name, report }) => ({ name, values: report.waits.map((share) => 100 * share) }))
  const names = WAIT_SPANS_MS.map((wait) => (wait === 0 ? '0' : formatDuration(wait)))
  return section(
    'Share of jobs that waited at most',
    barPlot(names, lines, 'time queued', { label: '% of jobs', format: short }),
  )
}

function groupPlots({ runs }: ReportPage): string[] {
  const plot = (pick: (report: RunReport) => readonly GroupFigures[], most: number, across: string) => {
    const groups = [...new Set(runs.flatMap(({ report }) => pick(report).map(({ group }) => group)))].slice(
      0,
      most,
    )
    const lines = (value: (figures: GroupFigures) => number) =>
      runs.map(({ name, report }) => ({
        name,
        values: groups.map((group) => {
          const found = pick(report).find((figures) => figures.group === group)
          return found ? value(found) : 0
        }),
      }))
    return [
      section(
        `Time queued by ${across}`,
        barPlot(
          groups,
          lines(({ meanQueueS }) => meanQueueS / 3600),
          across,
          { label: 'mean hours', format: short },
        ),
      ),
      section(
        `Slow-down by ${across}`,
        barPlot(
          groups,
          lines(({ meanSlowdown }) => meanSlowdown),
          across,
          { label: 'completion over time held, mean', format: short },
        ),
      ),
    ]
  }
  return [...plot((report) => report.bySize, 16, 'GPUs'), ...plot((report) => report.byTenant, 12, 'tenant')]
}

function wasteTable(name: string, report: RunReport): string {
  return section(
    `Where the GPU-hours went: ${name}`,
    table(
      ['', 'GPU-hours', 'share', 'money', ''],
      report.waste
        .filter(({ gpuHours }) => gpuHours > 0)
        .map(({ cause, gpuHours, share, money, meaning }) => [
          cause,
          whole(gpuHours),
          percent(share),
          whole(money),
          meaning,
        ]),
    ),
  )
}

function failures(name: string, { interruptions }: RunReport): string {
  if (interruptions.count === 0) return ''
  return section(
    `Interruptions: ${name}`,
    table(
      ['class', 'attempts'],
      Object.entries(interruptions.byClass).map(([cause, count]) => [cause, whole(count)]),
    ) +
      `<p class="note">${whole(interruptions.count)} in all, one each ${interruptions.meanHoursBetween.toFixed(2)} h of running.</p>`,
  )
}

function skippedNote(skipped: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(skipped).map(([reason, count]) => `${count}: ${reason}`)
  return reasons.length === 0 ? '' : `<p class="note">Jobs left out: ${escapeXml(reasons.join('; '))}.</p>`
}
