import type { Result, TimeMs } from '../../base/index.ts'
import { ok, parseDuration, refuse } from '../../base/index.ts'
import { inSubmitOrder, type JobTrace, NO_TENANT, type TraceJob } from './job-trace.ts'
import { columnOf, type Row, readTable } from './table.ts'

/** What to run on a Slurm cluster to get a history that `readSacct` reads. */
const SACCT_COMMAND =
  'sacct -a -X -P --starttime=now-30days --format=JobID,User,Account,Submit,Elapsed,Timelimit,NNodes,ReqTRES,AllocTRES,State'

/**
 * The jobs of a Slurm accounting history (`sacct -P`, fields separated by `|`, any order and more columns than
 * needed). Steps are skipped; jobs that held no GPU or never ran are counted and left out. GPUs are those of
 * AllocTRES, else ReqTRES; the tenant is the account. Times are read as UTC.
 */
export function readSacct(text: string): Result<JobTrace, string> {
  const table = readTable(text, '|')
  if (!table.ok) return table
  const at = {
    id: columnOf(table.value, 'jobid'),
    user: columnOf(table.value, 'user'),
    account: columnOf(table.value, 'account'),
    submit: columnOf(table.value, 'submit'),
    elapsed: columnOf(table.value, 'elapsed'),
    limit: columnOf(table.value, 'timelimit'),
    nodes: columnOf(table.value, 'nnodes', 'allocnodes'),
    requested: columnOf(table.value, 'reqtres'),
    allocated: columnOf(table.value, 'alloctres'),
  }
  if (at.id < 0 || at.submit < 0 || at.elapsed < 0 || (at.allocated < 0 && at.requested < 0)) {
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
    const submitMs = parseTime(cell(row, at.submit))
    if (submitMs === undefined)
      return refuse(`line ${row.line}: Submit is "${cell(row, at.submit)}"; expected 2026-11-24T15:00:00`)
    const elapsed = parseDuration(cell(row, at.elapsed))
    if (!elapsed.ok) return refuse(`line ${row.line}: Elapsed: ${elapsed.error}`)
    const gpus = gpusOf(cell(row, at.allocated)) || gpusOf(cell(row, at.requested))
    if (gpus === 0) {
      skip('no GPUs asked for')
      continue
    }
    if (elapsed.value === 0) {
      skip('never ran')
      continue
    }
    const limit = parseDuration(cell(row, at.limit))
    const nodes = Number(cell(row, at.nodes))
    const user = cell(row, at.user)
    jobs.push({
      id: cell(row, at.id),
      submitMs,
      gpus,
      durationMs: elapsed.value,
      tenant: cell(row, at.account) || NO_TENANT,
      ...(nodes > 1 && gpus % nodes === 0 ? { nodes } : {}),
      ...(user !== '' ? { user } : {}),
      ...(limit.ok && limit.value > 0 ? { limitMs: limit.value } : {}),
    })
  }
  return ok({ jobs: inSubmitOrder(jobs), skipped, epochMs: 0 })
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
