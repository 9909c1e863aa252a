import { type Kysely, sql } from 'kysely'
import type { WorkloadId } from '../../base/index.ts'
import type {
  Batch,
  EventQuery,
  Leadership,
  Page,
  Store,
  StoredState,
  SubmissionRecord,
  TopUsage,
  TopUsageQuery,
  UsageQuery,
  UsageSum,
  WorkloadQuery,
} from '../../control/ports/index.ts'
import { type Attempt, FINAL_WORKLOAD_STATES, WORKLOAD_STATES, type Workload } from '../../model/index.ts'
import { appendBatch } from './append.ts'
import type { Database, Writer } from './database.ts'
import { storeFailure } from './failure.ts'
import { FinishedWorkloads } from './finished-workloads.ts'
import { snapshotOf } from './kysely-of.ts'
import { listEvents } from './list-events.ts'
import { listWorkloads } from './list-workloads.ts'
import { workloadNumber } from './numbers.ts'
import type { LoggedEvent } from './rows.ts'
import { StoreError } from './store-error.ts'
import { SubmissionLookup } from './submission-lookup.ts'
import { sumTopUsage, sumUsage } from './sum-usage.ts'
import type { Tables } from './tables.ts'

const LIVE_STATES = WORKLOAD_STATES.filter((state) => !FINAL_WORKLOAD_STATES.some((final) => final === state))

/** The store on any PostgreSQL, embedded or a server: the same tables and statements. */
export class PostgresStore implements Store {
  readonly database: Database
  readonly #submissions: SubmissionLookup
  readonly #finished = new FinishedWorkloads()
  #lead: { readonly writer: Writer; readonly epoch: number } | undefined
  #closed: Promise<void> | undefined

  constructor(database: Database) {
    this.database = database
    this.#submissions = new SubmissionLookup(database.reader)
  }

  load(): Promise<StoredState> {
    return this.#read((reader) =>
      snapshotOf(reader).execute(async (snapshot) => {
        const ledger = await snapshot.selectFrom('ledger').select('last_sequence').executeTakeFirstOrThrow()
        const documents = await snapshot
          .selectFrom('documents')
          .select(['collection', 'id', 'value'])
          .orderBy('collection')
          .orderBy('id')
          .execute()
        const workloads = await snapshot
          .selectFrom('workloads')
          .select('document')
          .where('state', 'in', LIVE_STATES)
          .orderBy('number')
          .execute()
        const attempts = await snapshot
          .selectFrom('attempts')
          .select('document')
          .where('state', '<>', 'ended')
          .orderBy('workload')
          .orderBy('number')
          .execute()
        return {
          lastSequence: ledger.last_sequence,
          documents,
          workloads: workloads.map((row) => row.document as Workload),
          attempts: attempts.map((row) => row.document as Attempt),
        }
      }),
    )
  }

  async append(batch: Batch): Promise<void> {
    const lead = this.#lead
    if (!lead) {
      throw new StoreError(
        'not-leader',
        'This server does not lead, so it may not append. Call lead() and wait for it.',
      )
    }
    await appendBatch(lead.writer.connection, lead.epoch, batch).catch((error) => {
      throw storeFailure(error)
    })
  }

  events(query: EventQuery): Promise<readonly LoggedEvent[]> {
    return this.#read((reader) => listEvents(reader, query))
  }

  workloads(query: WorkloadQuery): Promise<Page<Workload>> {
    return this.#read((reader) => listWorkloads(reader, this.#finished, query))
  }

  workload(id: WorkloadId): Promise<Workload | undefined> {
    return this.#read(async (reader) => {
      const row = await reader
        .selectFrom('workloads')
        .select('document')
        .where('id', '=', id)
        .executeTakeFirst()
      return row?.document as Workload | undefined
    })
  }

  attempts(workload: WorkloadId): Promise<readonly Attempt[]> {
    return this.#read(async (reader) => {
      const number = workloadNumber(workload)
      if (number === undefined) return []
      const rows = await reader
        .selectFrom('attempts')
        .select('document')
        .where('workload', '=', number)
        .orderBy('number')
        .execute()
      return rows.map((row) => row.document as Attempt)
    })
  }

  usage(query: UsageQuery): Promise<readonly UsageSum[]> {
    return this.#read((reader) => sumUsage(reader, query))
  }

  topUsage(query: TopUsageQuery): Promise<TopUsage> {
    return this.#read((reader) => snapshotOf(reader).execute((snapshot) => sumTopUsage(snapshot, query)))
  }

  names(workloads: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#read(async (reader) => {
      const { rows } = await sql<{ id: string; name: string }>`
        select id, name from workloads where id = any(${[...workloads]}::text[])`.execute(reader)
      return new Map(rows.map(({ id, name }) => [id, name]))
    })
  }

  submission(user: string, idempotencyKey: string): Promise<SubmissionRecord | undefined> {
    return this.#submissions.find(user, idempotencyKey).catch((error) => {
      throw storeFailure(error)
    })
  }

  async lead(): Promise<Leadership> {
    const writer = await this.database.openWriter()
    try {
      const { epoch } = await writer.connection
        .updateTable('ledger')
        .set((ledger) => ({ epoch: ledger('epoch', '+', 1) }))
        .returning('epoch')
        .executeTakeFirstOrThrow()
      const lead = { writer, epoch }
      const stop = () => {
        if (this.#lead === lead) this.#lead = undefined
      }
      this.#lead = lead
      const lost = writer.lost.then(stop)
      return {
        lost,
        advertise: (url) => writer.advertise(url),
        release: async () => {
          stop()
          await writer.close()
        },
      }
    } catch (error) {
      await writer.close()
      throw storeFailure(error)
    }
  }

  leader(): Promise<string | undefined> {
    return this.database.advertised().catch((error) => {
      throw storeFailure(error)
    })
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const lead = this.#lead
    this.#lead = undefined
    await lead?.writer.close()
    await this.database.close()
  }

  #read<Result>(read: (reader: Kysely<Tables>) => Promise<Result>): Promise<Result> {
    return read(this.database.reader).catch((error) => {
      throw storeFailure(error)
    })
  }
}
