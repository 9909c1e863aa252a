import { type Comparison, estimateTexts, FIGURE_NAMES, type Figure, figureTitle } from './compare.ts'
import type { RunReport } from './insight.ts'
import { ledgerSections } from './ledger-sections.ts'
import { machinesSections } from './machines-section.ts'
import { type NamedRun, note, percent, seconds, section, table, whole } from './page-parts.ts'
import { escapeXml } from './plot.ts'
import { distributionSections, groupSections, overTimeSections } from './plot-sections.ts'
import { servingSections } from './serving-section.ts'

export interface ReportPage {
  readonly title: string
  /** One or more runs; with several the plots lay them over each other. */
  readonly runs: readonly NamedRun[]
  readonly comparison?: readonly Comparison[]
  readonly skipped: Readonly<Record<string, number>>
}

/** One self-contained page: no script, no font, no picture from elsewhere; the same runs give the same bytes. */
export function reportPage({ title, runs, comparison, skipped }: ReportPage): string {
  const body = [
    `<h1>${escapeXml(title)}</h1>`,
    ...(comparison ? [comparisonTable(comparison)] : runs.map(({ report }) => headline(report))),
    skippedNote(skipped),
    ...(comparison ? [note('The plots and tables below are of the first seed.')] : []),
    ...overTimeSections(runs),
    ...distributionSections(runs),
    ...groupSections(runs),
    ...ledgerSections(runs),
    ...servingSections(runs),
    ...machinesSections(runs),
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeXml(title)}</title><style>${STYLE}</style></head>
<body>${body.join('\n')}</body></html>
`
}

/** Plots are drawn at the width of a phone; wider pages and paper have two beside each other. */
const STYLE = `body{font:15px/1.45 system-ui,sans-serif;max-width:900px;margin:1rem auto;padding:0 .8rem;color:#1b1b1b;background:#fff;display:grid;grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr));gap:0 1.6rem}
body>*{grid-column:1/-1;min-width:0}body>.half{grid-column:auto}
h1{font-size:1.3rem;margin:.4rem 0}h2{font-size:1rem;margin:1.3rem 0 .2rem}
.plot{display:block;width:100%;height:auto}.plot text{font:11px system-ui,sans-serif;fill:#444}.grid{stroke:#ddd}
.legend{margin:0;font-size:.8rem;color:#333}.legend span{margin-right:1rem;white-space:nowrap}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(135px,1fr));gap:.7rem 1rem;margin:.6rem 0}
dl div{border-top:2px solid #0072b2;padding-top:.2rem}dt{font-size:.8rem;color:#555}dd{margin:0;font-weight:600}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;width:100%}
th,td{padding:.2rem .5rem;text-align:right;border-bottom:1px solid #e5e5e5;vertical-align:top}
td{white-space:nowrap}th:first-child,td:first-child{text-align:left;padding-left:0;white-space:normal;min-width:7rem}small{color:#555;display:block}.note{color:#555;font-size:.85rem;margin:.3rem 0}
@media print{body{max-width:none;margin:0;font-size:12px}section,dl{break-inside:avoid}}`

function headline({ summary, gpuCount, policy, seed, goodput, fairness, hash }: RunReport): string {
  const tiles: readonly (readonly [string, string])[] = [
    ['policy', policy],
    ['GPUs', whole(gpuCount)],
    ['jobs ended', whole(summary.jobs)],
    ['mean completion', seconds(summary.meanCompletionS)],
    ['mean time queued', seconds(summary.meanQueueS)],
    ['90 % queued at most', seconds(summary.p90QueueS)],
    ['99 % queued at most', seconds(summary.p99QueueS)],
    ['makespan', seconds(summary.makespanS)],
    ['utilisation', percent(summary.utilisation)],
    ['goodput of what was held', percent(goodput)],
    ['preemptions', whole(summary.preemptions)],
    ['fairness', fairness.toFixed(3)],
    ['seed', `${seed}`],
    ['hash', hash],
  ]
  const cells = tiles.map(
    ([name, value]) => `<div><dt>${escapeXml(name)}</dt><dd>${escapeXml(value)}</dd></div>`,
  )
  return `<dl>${cells.join('')}</dl>`
}

/** So many candidates fit beside each other on paper. */
const MOST_BESIDE = 5

function comparisonTable(rows: readonly Comparison[]): string {
  const parts = Array.from({ length: Math.ceil(rows.length / MOST_BESIDE) }, (_, part) =>
    rows.slice(part * MOST_BESIDE, (part + 1) * MOST_BESIDE),
  )
  const cell = (figure: Figure, row: Comparison) => {
    const { mean, interval, difference } = estimateTexts(figure, row, rows[0])
    return [mean, interval, difference].filter((line) => line !== '').join('\n')
  }
  const tables = parts.map((part, i) =>
    section(
      i === 0 ? 'Side by side' : 'Side by side, the next',
      table(
        ['', ...part.map(({ name }) => name)],
        FIGURE_NAMES.map((figure) => [figureTitle(figure), ...part.map((row) => cell(figure, row))]),
      ),
    ),
  )
  return (
    tables.join('') +
    note(
      `Means over ${rows[0]?.seeds ?? 0} seeds with 95 % confidence intervals. Below them the difference from the first, seed by seed; "not clear" where its interval holds 0.`,
    )
  )
}

function skippedNote(skipped: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(skipped).map(([reason, count]) => `${count}: ${reason}`)
  return reasons.length === 0 ? '' : note(`Jobs left out: ${reasons.join('; ')}.`)
}
