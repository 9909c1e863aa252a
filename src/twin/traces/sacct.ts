import type { DurationMs, Result, TimeMs } from '../../base/index.ts'
import { MINUTE_MS, ok, parseDuration, refuse, SECOND_MS } from '../../base/index.ts'
import { inSubmitOrder, type JobTrace, NO_TENANT, type TraceJob } from './job-trace.ts'
import { columnOf, type Row, readTable } from './table.ts'

/** What to run on a Slurm cluster to get a history that `readSacct` reads. */
const SACCT_COMMAND =
  'sacct -a -X -P --starttime=now-30days --format=JobID,User,Account,Submit,Elapsed,Timelimit,NNodes,ReqTRES,AllocTRES,State'

/**
 * The jobs of a Slurm accounting history (`sacct -P`, fields separated by `|`, any order and more columns than
 * needed; with `-p` and the raw columns too). Steps are skipped; jobs that held no GPU, never ran, or whose times Slurm
 * does not know are counted and left out; those that still run count with what they have run. GPUs are those of
 * AllocTRES, else ReqTRES; the tenant is the account. Times are read as UTC.
 */
export function readSacct(text: string): Result<JobTrace, string> {
  if (/^\s*jobid(raw)?\s+\w/i.test(text))
    return refuse(`line 1: this is what sacct shows to people, with cells cut short; run: ${SACCT_COMMAND}`)
  const table = readTable(text, '|')
  if (!table.ok) return table
  const at = {
    id: columnOf(table.value, 'jobid', 'jobidraw'),
    user: columnOf(table.value, 'user'),
    account: columnOf(table.value, 'account'),
    submit: columnOf(table.value, 'submit'),
    elapsed: columnOf(table.value, 'elapsed'),
    elapsedS: columnOf(table.value, 'elapsedraw'),
    limit: columnOf(table.value, 'timelimit'),
    limitMin: columnOf(table.value, 'timelimitraw'),
    nodes: columnOf(table.value, 'nnodes', 'allocnodes'),
    requested: columnOf(table.value, 'reqtres'),
    allocated: columnOf(table.value, 'alloctres'),
  }
  if (
    at.id < 0 ||
    at.submit < 0 ||
    Math.max(at.elapsed, at.elapsedS) < 0 ||
    (at.allocated < 0 && at.requested < 0)
  ) {
    return refuse(
      `line 1: needs the columns JobID, Submit, Elapsed and AllocTRES or ReqTRES; run: ${SACCT_COMMAND}`,
    )
  }
  const jobs: TraceJob[] = []
  const skipped: Record<string, number> = {}
  const skip = (reason: string) => {
    skipped[reason] = (skipped[reason] ?? 0) + 1
  }
  const cell = (row: Row, column: number) => (column < 0 ? '' : row.cells[column]!.trim())
  for (const row of table.value.rows) {
    if (cell(row, at.id).includes('.')) continue
    const submit = cell(row, at.submit)
    const submitMs = parseTime(submit)
    if (submitMs === undefined && !isUnknown(submit)) {
      return refuse(
        `line ${row.line}: Submit is "${submit}"; expected 2026-11-24T15:00:00, which sacct writes where SLURM_TIME_FORMAT is not set`,
      )
    }
    const elapsed = cell(row, at.elapsed)
    const durationMs = spanOf(elapsed, cell(row, at.elapsedS), SECOND_MS)
    if (durationMs === undefined && !isUnknown(elapsed))
      return refuse(`line ${row.line}: Elapsed is "${elapsed}"; expected a span such as 1-02:30:00`)
    const gpus = gpusOf(cell(row, at.allocated)) || gpusOf(cell(row, at.requested))
    if (gpus === 0) {
      skip('no GPUs asked for')
      continue
    }
    if (submitMs === undefined || durationMs === undefined) {
      skip('times unknown to Slurm')
      continue
    }
    if (durationMs === 0) {
      skip('never ran')
      continue
    }
    const limitMs = spanOf(cell(row, at.limit), cell(row, at.limitMin), MINUTE_MS) ?? 0
    const nodes = Number(cell(row, at.nodes))
    const user = cell(row, at.user)
    jobs.push({
      id: cell(row, at.id),
      submitMs,
      gpus,
      durationMs,
      tenant: cell(row, at.account) || NO_TENANT,
      ...(nodes > 1 && gpus % nodes === 0 ? { nodes } : {}),
      ...(user !== '' ? { user } : {}),
      ...(limitMs > 0 ? { limitMs } : {}),
    })
  }
  return ok({ jobs: inSubmitOrder(jobs), skipped, epochMs: 0 })
}

/** The span of one column, else the whole number of another; undefined where neither tells one. */
function spanOf(text: string, raw: string, unitMs: DurationMs): DurationMs | undefined {
  const span = parseDuration(text)
  if (span.ok) return span.value
  return /^\d+$/.test(raw) ? Number(raw) * unitMs : undefined
}

/** What Slurm writes for times that it does not have. */
function isUnknown(text: string): boolean {
  return /^(|unknown|none|invalid|n\/a)$/i.test(text)
}

/** `billing=64,cpu=64,gres/gpu=8,gres/gpu:h100=8,node=1` holds 8 GPUs; typed entries repeat the plain one. */
function gpusOf(tres: string): number {
  let plain = 0
  let typed = 0
  for (const [, model, count] of tres.matchAll(/gres\/gpu(:[^=,]+)?=(\d+)/g)) {
    if (model === undefined) plain += Number(count)
    else typed += Number(count)
  }
  return plain || typed
}

function parseTime(text: string): TimeMs | undefined {
  if (/^\d{9,11}$/.test(text)) return Number(text) * SECOND_MS
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/.exec(text)
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return Date.UTC(year, month - 1, day, hour, minute, second)
}
