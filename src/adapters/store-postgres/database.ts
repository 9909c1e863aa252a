import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/** A PostgreSQL, whether it runs inside this process or on a server. */
export interface Database {
  readonly reader: Kysely<Tables>
  /** Reads everything as of one instant, while the database stays in use. */
  snapshot<Result>(read: (snapshot: Kysely<Tables>) => Promise<Result>): Promise<Result>
  /** Waits until this process is the only one that holds a writer. */
  openWriter(): Promise<Writer>
  /** What the process that holds the writer has advertised. */
  advertised(): Promise<string | undefined>
  close(): Promise<void>
}

export interface Writer {
  readonly connection: Kysely<Tables>
  /** Resolves when the connection is gone, and with it the exclusive right to write. */
  readonly lost: Promise<void>
  /** Shown to every process for as long as this one holds the writer. */
  advertise(text: string): Promise<void>
  close(): Promise<void>
}
