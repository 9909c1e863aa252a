import { type Kysely, type RawBuilder, sql } from 'kysely'
import { assert, present } from '../../base/index.ts'
import type { Batch, Document, LoggedEvent, SubmissionRecord } from '../../control/index.ts'
import type { Attempt, Workload } from '../../model/index.ts'
import { isFinal } from '../../model/index.ts'
import { workloadNumber, workloadOfAttempt } from './numbers.ts'
import { StoreError } from './store-error.ts'
import type { Tables } from './tables.ts'

/**
 * Writes the whole batch, or nothing of it, in one statement and thus one transaction and one round trip.
 * Every part joins `guard`, which has a row only while `epoch` is the newest leader's and the batch follows the
 * last event; so neither a deposed leader nor a batch out of step can leave a trace.
 */
export async function appendBatch(writer: Kysely<Tables>, epoch: number, batch: Batch): Promise<void> {
  const first = batch.events[0]
  const last = batch.events.at(-1)
  if (first) {
    batch.events.forEach((event, index) => {
      assert(event.sequence === first.sequence + index, `event ${event.sequence} follows without a gap`)
    })
  }
  const guard = first
    ? sql`update ledger set last_sequence = ${last?.sequence}
        where epoch = ${epoch} and last_sequence = ${first.sequence - 1} returning epoch`
    : sql`select epoch from ledger where epoch = ${epoch} for update`
  const parts = [
    sql`guard as (${guard})`,
    ...part('new_events', batch.events, insertEvents),
    ...part('set_documents', newest(batch.documents, documentKey).filter(isSet), upsertDocuments),
    ...part('gone_documents', newest(batch.documents, documentKey).filter(isGone), deleteDocuments),
    ...part('set_workloads', newest(batch.workloads, idOf), upsertWorkloads),
    ...part('set_attempts', newest(batch.attempts, idOf), upsertAttempts),
    ...part('new_submissions', batch.submissions, insertSubmissions),
  ]
  const statement = sql<{
    appended: number
  }>`with ${sql.join(parts)} select count(*)::int as appended from guard`
  const { rows } = await statement.execute(writer)
  if (rows[0]?.appended !== 1) throw await whyNot(writer, epoch, first)
}

async function whyNot(
  writer: Kysely<Tables>,
  epoch: number,
  first: LoggedEvent | undefined,
): Promise<StoreError> {
  const ledger = await writer
    .selectFrom('ledger')
    .select(['epoch', 'last_sequence'])
    .executeTakeFirstOrThrow()
  return ledger.epoch === epoch
    ? new StoreError(
        'out-of-step',
        `The log's last event is ${ledger.last_sequence}, so a batch that begins with event ${first?.sequence} ` +
          'cannot be appended. Nothing was written; load the state again.',
      )
    : new StoreError(
        'not-leader',
        'Another Banyan server has taken over the lead. Nothing was written; this server must stop appending.',
      )
}

function part<Row>(
  name: string,
  rows: readonly Row[],
  write: (rows: readonly Row[]) => RawBuilder<unknown>,
): RawBuilder<unknown>[] {
  return rows.length === 0 ? [] : [sql`${sql.ref(name)} as (${write(rows)})`]
}

/** The rows as columns, each one array parameter, so that the statement's text does not grow with the batch. */
function columns<Row>(
  rows: readonly Row[],
  of: Record<string, readonly [type: 'bigint' | 'text', value: (row: Row) => string | number | null]>,
): RawBuilder<unknown> {
  const arrays = Object.values(of).map(
    ([type, value]) => sql`${rows.map(value)}::${type === 'bigint' ? sql`bigint[]` : sql`text[]`}`,
  )
  const names = Object.keys(of).map((name) => sql.ref(name))
  return sql`guard, unnest(${sql.join(arrays)}) as new (${sql.join(names)})`
}

function insertEvents(events: readonly LoggedEvent[]): RawBuilder<unknown> {
  return sql`
    insert into events (sequence, at, cause, kind, workload, actor, body)
    select sequence, at, cause, kind, workload, actor::json, body::json from ${columns(events, {
      sequence: ['bigint', (event) => event.sequence],
      at: ['bigint', (event) => event.at],
      cause: ['text', (event) => event.cause],
      kind: ['text', (event) => event.event.kind],
      workload: ['text', ({ event }) => workloadOf(event)],
      actor: ['text', (event) => JSON.stringify(event.actor)],
      body: ['text', (event) => JSON.stringify(event.event)],
    })}`
}

function workloadOf(event: LoggedEvent['event']): string | null {
  if ('workload' in event) return event.workload
  return 'attempt' in event ? workloadOfAttempt(event.attempt) : null
}

function upsertDocuments(documents: readonly Document[]): RawBuilder<unknown> {
  return sql`
    insert into documents (collection, id, value)
    select collection, id, value::json from ${columns(documents, {
      collection: ['text', (document) => document.collection],
      id: ['text', (document) => document.id],
      value: ['text', (document) => JSON.stringify(document.value)],
    })}
    on conflict (collection, id) do update set value = excluded.value`
}

function deleteDocuments(documents: readonly Document[]): RawBuilder<unknown> {
  return sql`
    delete from documents using ${columns(documents, {
      collection: ['text', (document) => document.collection],
      id: ['text', (document) => document.id],
    })}
    where documents.collection = new.collection and documents.id = new.id`
}

function upsertWorkloads(workloads: readonly Workload[]): RawBuilder<unknown> {
  return sql`
    insert into workloads
      (number, id, organisation, team, user_id, name, type, state, submitted_at, final_at, document)
    select number, id, organisation, team, user_id, name, type, state, submitted_at, final_at, document::json
    from ${columns(workloads, {
      number: ['bigint', (workload) => present(workloadNumber(workload.id), `number in ${workload.id}`)],
      id: ['text', (workload) => workload.id],
      organisation: ['text', (workload) => workload.owner.organisation],
      team: ['text', (workload) => workload.owner.team],
      user_id: ['text', (workload) => workload.owner.user],
      name: ['text', (workload) => workload.spec.name],
      type: ['text', (workload) => workload.spec.type],
      state: ['text', (workload) => workload.state],
      submitted_at: ['bigint', (workload) => workload.submittedAt],
      final_at: ['bigint', (workload) => (isFinal(workload.state) ? workload.stateSince : null)],
      document: ['text', (workload) => JSON.stringify(workload)],
    })}
    on conflict (number) do update
      set state = excluded.state, final_at = excluded.final_at, document = excluded.document`
}

function upsertAttempts(attempts: readonly Attempt[]): RawBuilder<unknown> {
  return sql`
    insert into attempts (workload, number, id, state, ended_at, document)
    select workload, number, id, state, ended_at, document::json
    from ${columns(attempts, {
      workload: [
        'bigint',
        (attempt) => present(workloadNumber(attempt.workload), `number in ${attempt.workload}`),
      ],
      number: ['bigint', (attempt) => attempt.number],
      id: ['text', (attempt) => attempt.id],
      state: ['text', (attempt) => attempt.state],
      ended_at: ['bigint', (attempt) => attempt.endedAt ?? null],
      document: ['text', (attempt) => JSON.stringify(attempt)],
    })}
    on conflict (workload, number) do update
      set state = excluded.state, ended_at = excluded.ended_at, document = excluded.document`
}

function insertSubmissions(submissions: readonly SubmissionRecord[]): RawBuilder<unknown> {
  return sql`
    insert into submissions (user_id, key, request_hash, workloads, at)
    select user_id, key, request_hash, workloads::json, at from ${columns(submissions, {
      user_id: ['text', (submission) => submission.user],
      key: ['text', (submission) => submission.idempotencyKey],
      request_hash: ['text', (submission) => submission.requestHash],
      workloads: ['text', (submission) => JSON.stringify(submission.workloads)],
      at: ['bigint', (submission) => submission.at],
    })}`
}

/** One statement may write a row once, so of several versions in a batch only the last is written. */
function newest<Row>(rows: readonly Row[], key: (row: Row) => string): readonly Row[] {
  return [...new Map(rows.map((row) => [key(row), row])).values()]
}

const idOf = (row: { readonly id: string }) => row.id
const documentKey = (document: Document) => JSON.stringify([document.collection, document.id])
const isSet = (document: Document) => document.value !== undefined
const isGone = (document: Document) => document.value === undefined
