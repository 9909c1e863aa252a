import type { ForecastScore } from '../../api/index.ts'
import { formatDuration } from '../../base/index.ts'
import type { Cli } from '../cli.ts'
import { renderPairs, renderTable } from '../render/table.ts'
import { counted, fromNow } from '../render/values.ts'

/** When each queued workload will start; with --score how good past forecasts were. */
export async function forecast(cli: Cli, options: { readonly score?: boolean }): Promise<void> {
  const client = await cli.client()
  if (options.score) {
    const score = await client.scoreForecasts()
    return cli.print(score, () => scoreText(cli, score))
  }
  const { items } = await client.listWorkloads({ state: ['queued'], limit: 1000 })
  const now = cli.now()
  const queued = items.map(({ id, spec: { name }, forecast }) => ({
    id,
    name,
    ...(forecast ? { forecast } : {}),
  }))
  cli.print({ items: queued }, () =>
    queued.length === 0
      ? 'Nothing waits.'
      : renderTable(
          cli,
          [
            { title: 'ID', cell: ({ id }) => id },
            { title: 'NAME', cell: ({ name }) => name, shrinksTo: 12 },
            {
              title: 'HALF BY',
              cell: (row) => (row.forecast ? fromNow(row.forecast.p50At, now) : 'unknown'),
              align: 'right',
            },
            {
              title: '90 % BY',
              cell: (row) => (row.forecast ? fromNow(row.forecast.p90At, now) : ''),
              align: 'right',
            },
          ],
          queued,
        ),
  )
}

function scoreText(cli: Cli, score: ForecastScore): string {
  const { forecasts, withinP90Share, medianErrorMs, medianAbsoluteErrorMs } = score
  if (forecasts === 0) return 'No workload with a forecast has started yet.'
  return renderPairs(cli, [
    ['forecasts', counted(forecasts, 'start')],
    [
      'within p90',
      withinP90Share === undefined ? undefined : `${(withinP90Share * 100).toFixed(1)} % (90 % is right)`,
    ],
    [
      'median error',
      medianErrorMs === undefined ? undefined : `${formatDuration(medianErrorMs)} (start minus forecast)`,
    ],
    [
      'median distance',
      medianAbsoluteErrorMs === undefined ? undefined : formatDuration(medianAbsoluteErrorMs),
    ],
  ])
}
