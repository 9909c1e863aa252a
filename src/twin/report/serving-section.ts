import {
  type NamedRun,
  note,
  percent,
  plotSection,
  seconds,
  section,
  short,
  span,
  table,
  whole,
} from './page-parts.ts'
import { barPlot, linePlot } from './plot.ts'
import { FIRST_TOKEN_SPANS_S, type Percentiles, type ServingFigures } from './serving-log.ts'

const OUTCOMES = {
  answered: 'answered',
  unready: 'refused: no replica was ready (503)',
  busy: 'refused: all replicas had as many as they may (429)',
  brokenOff: 'broken off: the replica ended while it answered',
  failed: 'failed: replicas ended before they answered (502)',
  timedOut: 'given up: no answer began in ten minutes (504)',
} as const

/** What clients saw of each served model; runs lie over each other where there are several. */
export function servingSections(runs: readonly NamedRun[]): string[] {
  const models = [...new Set(runs.flatMap(({ report }) => report.serving.map(({ name }) => name)))]
  return models.flatMap((model) => {
    const found = runs.flatMap(({ name, report }) => {
      const figures = report.serving.find((each) => each.name === model)
      return figures ? [{ name, figures }] : []
    })
    return sectionsOf(model, found)
  })
}

function sectionsOf(
  model: string,
  runs: readonly { readonly name: string; readonly figures: ServingFigures }[],
): string[] {
  const lines = (pick: (figures: ServingFigures) => readonly number[]) =>
    runs.map(({ name, figures }) => ({ name, values: pick(figures) }))
  const longest = Math.max(...runs.map(({ figures: { series } }) => series.bucketMs * series.asked.length))
  const across = { label: 'time since the first request', from: 0, to: longest, format: span }
  return [
    section(
      `Requests to ${model}`,
      table(
        ['', ...runs.map(({ name }) => name)],
        [
          row(runs, 'replicas', ({ replicas, gpusPerReplica }) => `${replicas} x ${gpusPerReplica} GPUs`),
          row(runs, 'requests', ({ outcomes }) => whole(outcomes.asked)),
          ...Object.entries(OUTCOMES).map(([outcome, words]) =>
            row(runs, words, ({ outcomes }) => {
              const count = outcomes[outcome as keyof typeof OUTCOMES]
              return count === 0 ? '0' : `${whole(count)} (${percent(count / outcomes.asked)})`
            }),
          ),
          row(runs, 'tokens written', ({ generatedTokens }) => whole(generatedTokens)),
          row(runs, 'first token p50, p90, p99', ({ firstToken }) => percentiles(firstToken)),
          row(runs, 'between tokens p50, p90, p99', ({ perToken }) => percentiles(perToken)),
          row(runs, 'whole answer p50, p90, p99', ({ whole }) => percentiles(whole)),
        ],
      ) +
        note(
          'Latencies are those of requests that were answered. Refused requests are not sent again. The number of replicas does not follow the load.',
        ),
    ),
    plotSection(
      `${model}: requests a second`,
      linePlot(
        lines(({ series }) => series.asked),
        across,
        { label: 'requests a second', format: short },
      ),
    ),
    plotSection(
      `${model}: replicas that answered`,
      linePlot(
        lines(({ series }) => series.replicas),
        across,
        { label: 'replicas, mean', format: short },
      ),
    ),
    plotSection(
      `${model}: first token, 99 % within`,
      linePlot(
        lines(({ series }) => series.firstTokenP99),
        across,
        { label: 'seconds', format: short },
      ),
    ),
    plotSection(
      `${model}: first token came within`,
      barPlot(
        FIRST_TOKEN_SPANS_S.map((within) => seconds(within)),
        lines(({ firstTokenWithin }) => firstTokenWithin.map((share) => 100 * share)),
        'time to the first token',
        { label: '% of answers', format: short },
      ),
    ),
  ]
}

function row(
  runs: readonly { readonly figures: ServingFigures }[],
  title: string,
  cell: (figures: ServingFigures) => string,
): string[] {
  return [title, ...runs.map(({ figures }) => cell(figures))]
}

function percentiles({ p50, p90, p99 }: Percentiles): string {
  return [p50, p90, p99].map(seconds).join(', ')
}
