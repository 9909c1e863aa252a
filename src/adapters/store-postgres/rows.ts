import { type RawBuilder, sql } from 'kysely'
import { present } from '../../base/index.ts'
import type { Batch, Document, SubmissionRecord } from '../../control/ports/index.ts'
import { type Attempt, isFinal, type UsageSpan, type Workload } from '../../model/index.ts'
import { workloadNumber, workloadOfAttempt } from './numbers.ts'
import type {
  AttemptTable,
  DocumentTable,
  EventTable,
  SubmissionTable,
  Tables,
  UsageSpanTable,
  WorkloadTable,
} from './tables.ts'

export type LoggedEvent = Batch['events'][number]

type ColumnType = 'bigint' | 'text' | 'json'
type ColumnsOf<Table> = { readonly [Column in keyof Table]: ColumnType }

/** The tables that hold what a store was given, in the order in which they are written and backed up. */
export const COLUMNS = {
  events: {
    sequence: 'bigint',
    at: 'bigint',
    cause: 'text',
    kind: 'text',
    workload: 'text',
    actor: 'json',
    body: 'json',
  },
  documents: { collection: 'text', id: 'text', value: 'json' },
  workloads: {
    number: 'bigint',
    id: 'text',
    organisation: 'text',
    team: 'text',
    user_id: 'text',
    name: 'text',
    type: 'text',
    state: 'text',
    submitted_at: 'bigint',
    final_at: 'bigint',
    document: 'json',
  },
  attempts: {
    workload: 'bigint',
    number: 'bigint',
    id: 'text',
    state: 'text',
    ended_at: 'bigint',
    document: 'json',
  },
  submissions: { user_id: 'text', key: 'text', request_hash: 'text', workloads: 'json', at: 'bigint' },
  usage_spans: {
    workload: 'text',
    organisation: 'text',
    team: 'text',
    user_id: 'text',
    gpu_model: 'text',
    cause: 'text',
    milli_gpus: 'bigint',
    from_at: 'bigint',
    to_at: 'bigint',
  },
} as const satisfies { readonly [Table in keyof Tables]?: ColumnsOf<Tables[Table]> }

export type DataTable = keyof typeof COLUMNS
export const DATA_TABLES = Object.keys(COLUMNS) as readonly DataTable[]

/** `insert into TABLE ... select ... from FROM`, where `FROM` makes one row or none and so says whether anything is written. */
export function insertRows<Table extends DataTable>(
  table: Table,
  rows: readonly Tables[Table][],
  from: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const types: Readonly<Record<string, ColumnType>> = COLUMNS[table]
  const values = Object.entries(types).map(([name, type]) =>
    type === 'json' ? sql`${sql.ref(`new.${name}`)}::json` : sql.ref(`new.${name}`),
  )
  const names = Object.keys(types)
  return sql`insert into ${sql.table(table)} (${sql.join(names.map((name) => sql.ref(name)))})
    select ${sql.join(values)} from ${from}, ${unnested(table, rows, names)}`
}

/** The rows as a table `new`: one array parameter a column, so that the statement does not grow with their number. */
export function unnested<Table extends DataTable>(
  table: Table,
  rows: readonly Tables[Table][],
  names: readonly string[],
): RawBuilder<unknown> {
  const types: Readonly<Record<string, ColumnType>> = COLUMNS[table]
  const arrays = names.map((name) => {
    const values: unknown[] = rows.map((row) => Reflect.get(row, name))
    if (types[name] === 'bigint') return sql`${values}::bigint[]`
    return sql`${types[name] === 'json' ? values.map((value) => JSON.stringify(value)) : values}::text[]`
  })
  return sql`unnest(${sql.join(arrays)}) as new (${sql.join(names.map((name) => sql.ref(name)))})`
}

export function eventRow({ sequence, at, cause, actor, event }: LoggedEvent): EventTable {
  return { sequence, at, cause, kind: event.kind, workload: workloadOf(event), actor, body: event }
}

function workloadOf(event: LoggedEvent['event']): string | null {
  if ('workload' in event) return event.workload
  return 'attempt' in event ? workloadOfAttempt(event.attempt) : null
}

export function documentRow({ collection, id, value }: Document): DocumentTable {
  return { collection, id, value }
}

export function workloadRow(workload: Workload): WorkloadTable {
  return {
    number: present(workloadNumber(workload.id), `number in ${workload.id}`),
    id: workload.id,
    organisation: workload.owner.organisation,
    team: workload.owner.team,
    user_id: workload.owner.user,
    name: workload.spec.name,
    type: workload.spec.type,
    state: workload.state,
    submitted_at: workload.submittedAt,
    final_at: isFinal(workload.state) ? workload.stateSince : null,
    document: workload,
  }
}

export function attemptRow(attempt: Attempt): AttemptTable {
  return {
    workload: present(workloadNumber(attempt.workload), `number in ${attempt.workload}`),
    number: attempt.number,
    id: attempt.id,
    state: attempt.state,
    ended_at: attempt.endedAt ?? null,
    document: attempt,
  }
}

export function submissionRow(submission: SubmissionRecord): SubmissionTable {
  return {
    user_id: submission.user,
    key: submission.idempotencyKey,
    request_hash: submission.requestHash,
    workloads: submission.workloads,
    at: submission.at,
  }
}

export function usageSpanRow({
  workload,
  owner,
  gpuModel,
  cause,
  milliGpus,
  from,
  to,
}: UsageSpan): UsageSpanTable {
  return {
    workload,
    organisation: owner.organisation,
    team: owner.team,
    user_id: owner.user,
    gpu_model: gpuModel,
    cause,
    milli_gpus: milliGpus,
    from_at: from,
    to_at: to,
  }
}
