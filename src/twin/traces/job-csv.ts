import type { TimeMs } from '../../base/index.ts'
import { ok, type Result, refuse } from '../../base/index.ts'
import { inSubmitOrder, type JobTrace, NO_TENANT, type TraceJob } from './job-trace.ts'
import { columnOf, noColumn, type Row, readTable } from './table.ts'

/** No time or span in a trace is longer, in seconds: the year 2096. */
const MOST_S = 4e9
/** Seconds above this are a Unix time, not seconds since the trace began: 2001-09-09. */
const UNIX_FROM_S = 1e9

/**
 * The jobs of a CSV with the columns submit_s, gpus and duration_s, and where it has them job_id, tenant, user and
 * limit_s; others are ignored. Rows that ask for no GPU, or whose run time is unknown (empty or negative), are
 * counted and left out. A cell that is no number, or a negative one of GPUs or time, is refused with its line and column.
 */
export function readJobCsv(text: string): Result<JobTrace, string> {
  const table = readTable(text, ',')
  if (!table.ok) return table
  const at = {
    id: columnOf(table.value, 'job_id', 'id'),
    submit: columnOf(table.value, 'submit_s', 'submit'),
    gpus: columnOf(table.value, 'gpus', 'num_gpus', 'gpu_num'),
    duration: columnOf(table.value, 'duration_s', 'duration'),
    tenant: columnOf(table.value, 'tenant', 'vc'),
    user: columnOf(table.value, 'user'),
    limit: columnOf(table.value, 'limit_s'),
  }
  for (const [name, column] of [
    ['submit_s', at.submit],
    ['gpus', at.gpus],
    ['duration_s', at.duration],
  ] as const) {
    if (column < 0) return refuse(noColumn(table.value, name, ['submit_s', 'gpus', 'duration_s']))
  }
  const jobs: TraceJob[] = []
  const skipped: Record<string, number> = {}
  const skip = (reason: string) => {
    skipped[reason] = (skipped[reason] ?? 0) + 1
  }
  let problem: string | undefined
  const number = (row: Row, column: number): number => {
    const cell = row.cells[column]?.trim() ?? ''
    const value = cell === '' ? Number.NaN : Number(cell)
    if (cell !== '' && !Number.isFinite(value))
      problem ??= `line ${row.line}: ${table.value.columns[column]} is "${cell}", which is not a number`
    return value
  }
  for (const row of table.value.rows) {
    const submit = number(row, at.submit)
    const gpus = number(row, at.gpus)
    const duration = number(row, at.duration)
    const limit = at.limit < 0 ? Number.NaN : number(row, at.limit)
    if (submit < 0) problem ??= `line ${row.line}: submit_s is ${submit}; expected seconds from 0`
    if (gpus < 0) problem ??= `line ${row.line}: gpus is ${gpus}; expected a number from 0`
    for (const seconds of [submit, duration])
      if (seconds > MOST_S)
        problem ??= `line ${row.line}: ${seconds} are too many seconds; the most is ${MOST_S}`
    if (problem !== undefined) return refuse(problem)
    if (Number.isNaN(submit)) skip('no submit time')
    else if (!(gpus > 0)) skip('no GPUs asked for')
    else if (!(duration >= 0)) skip('no known run time')
    else {
      const user = at.user < 0 ? '' : row.cells[at.user]!.trim()
      jobs.push({
        id: at.id < 0 ? `row${row.line}` : row.cells[at.id]!,
        submitMs: Math.round(submit * 1000),
        gpus: gpus < 1 ? Math.max(0.001, Math.round(gpus * 1000) / 1000) : Math.ceil(gpus),
        durationMs: Math.round(duration * 1000),
        tenant: (at.tenant < 0 ? '' : row.cells[at.tenant]!.trim()) || NO_TENANT,
        ...(user !== '' ? { user } : {}),
        ...(limit > 0 ? { limitMs: Math.round(limit * 1000) } : {}),
      })
    }
  }
  const isUnixTime = jobs.length > 0 && jobs.every(({ submitMs }) => submitMs >= UNIX_FROM_S * 1000)
  return ok({ jobs: inSubmitOrder(jobs), skipped, ...(isUnixTime ? { epochMs: 0 } : {}) })
}

/**
 * When second 0 of a published trace was, by the name of its file. Philly's first job was submitted on 2017-09-04; the
 * time of day is the one at which its October and November give the published completion times at 560 and 640 GPUs.
 */
export function knownEpoch(fileName: string): TimeMs | undefined {
  return /^philly\b/i.test(fileName) ? Date.UTC(2017, 8, 4, 10, 35) : undefined
}
