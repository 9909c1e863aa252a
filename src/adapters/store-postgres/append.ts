import { type Kysely, type RawBuilder, sql } from 'kysely'
import { assert } from '../../base/index.ts'
import type { Batch, Document } from '../../control/ports/index.ts'
import {
  attemptRow,
  documentRow,
  eventRow,
  insertRows,
  type LoggedEvent,
  submissionRow,
  unnested,
  usageSpanRow,
  workloadRow,
} from './rows.ts'
import { StoreError } from './store-error.ts'
import type { DocumentTable, Tables } from './tables.ts'

/**
 * Writes the whole batch, or nothing of it, in one statement and thus one transaction and one round trip.
 * Every part joins `guard`, which has a row only while `epoch` is the newest leader's and the batch follows the
 * last event; so neither a deposed leader nor a batch out of step can leave a trace.
 */
export async function appendBatch(writer: Kysely<Tables>, epoch: number, batch: Batch): Promise<void> {
  const first = batch.events[0]
  batch.events.forEach((event, index) => {
    assert(event.sequence === (first?.sequence ?? 0) + index, `event ${event.sequence} follows without a gap`)
  })
  const documents = newest(batch.documents, (document) => JSON.stringify([document.collection, document.id]))
  const events = batch.events.map(eventRow)
  const kept = documents.filter(isKept).map(documentRow)
  const gone = documents.filter((document) => !isKept(document)).map(documentRow)
  const workloads = newest(batch.workloads, idOf).map(workloadRow)
  const attempts = newest(batch.attempts, idOf).map(attemptRow)
  const submissions = batch.submissions.map(submissionRow)
  const spans = batch.spans.map(usageSpanRow)
  const guard = sql.ref('guard')
  const parts = [
    [events, sql`new_events as (${insertRows('events', events, guard)})`],
    [
      kept,
      sql`kept_documents as (${insertRows('documents', kept, guard)}
      on conflict (collection, id) do update set value = excluded.value)`,
    ],
    [gone, sql`gone_documents as (${deleteDocuments(gone)})`],
    [
      workloads,
      sql`set_workloads as (${insertRows('workloads', workloads, guard)}
      on conflict (id) do update
        set state = excluded.state, final_at = excluded.final_at, document = excluded.document)`,
    ],
    [
      attempts,
      sql`set_attempts as (${insertRows('attempts', attempts, guard)}
      on conflict (workload, number) do update
        set state = excluded.state, ended_at = excluded.ended_at, document = excluded.document)`,
    ],
    [submissions, sql`new_submissions as (${insertRows('submissions', submissions, guard)})`],
    [spans, sql`new_spans as (${insertRows('usage_spans', spans, guard)})`],
  ] as const
  const written = parts.flatMap(([rows, part]) => (rows.length === 0 ? [] : [part]))
  const { rows } = await sql<{ appended: number }>`
    with ${sql.join([sql`guard as (${guarded(epoch, batch.events)})`, ...written])}
    select count(*)::int as appended from guard`.execute(writer)
  if (rows[0]?.appended !== 1) throw await whyNot(writer, epoch, first)
}

function guarded(epoch: number, events: readonly LoggedEvent[]): RawBuilder<unknown> {
  const [first] = events
  if (!first) return sql`select epoch from ledger where epoch = ${epoch} for update`
  return sql`update ledger set last_sequence = ${first.sequence - 1 + events.length}
    where epoch = ${epoch} and last_sequence = ${first.sequence - 1} returning epoch`
}

function deleteDocuments(documents: readonly DocumentTable[]): RawBuilder<unknown> {
  return sql`delete from documents using guard, ${unnested('documents', documents, ['collection', 'id'])}
    where documents.collection = new.collection and documents.id = new.id`
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

/** One statement may write a row once, so of several versions in a batch only the last is written. */
function newest<Row>(rows: readonly Row[], key: (row: Row) => string): readonly Row[] {
  return [...new Map(rows.map((row) => [key(row), row])).values()]
}

const idOf = (row: { readonly id: string }) => row.id
const isKept = (document: Document) => document.value !== undefined
