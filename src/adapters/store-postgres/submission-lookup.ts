import { type Kysely, sql } from 'kysely'
import type { SubmissionRecord } from '../../control/ports/index.ts'
import type { Tables } from './tables.ts'

interface Wanted {
  readonly user: string
  readonly key: string
  readonly resolve: (record: SubmissionRecord | undefined) => void
  readonly reject: (error: unknown) => void
}

const MOST_AT_ONCE = 512

/**
 * Finds submissions by user and key, many in one query: those asked for while a query is under way share the next one.
 * Every submission is looked for before it is taken, so that this is as frequent as the appends are not.
 */
export class SubmissionLookup {
  readonly #reader: Kysely<Tables>
  #wanted: Wanted[] = []
  #isRunning = false

  constructor(reader: Kysely<Tables>) {
    this.#reader = reader
  }

  find(user: string, key: string): Promise<SubmissionRecord | undefined> {
    return new Promise((resolve, reject) => {
      this.#wanted.push({ user, key, resolve, reject })
      if (!this.#isRunning) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#wanted.length > 0) await this.#answer(this.#wanted.splice(0, MOST_AT_ONCE))
    this.#isRunning = false
  }

  async #answer(wanted: readonly Wanted[]): Promise<void> {
    try {
      const found = await this.#query(wanted)
      for (const { user, key, resolve } of wanted) resolve(found.get(JSON.stringify([user, key])))
    } catch (error) {
      for (const { reject } of wanted) reject(error)
    }
  }

  async #query(wanted: readonly Wanted[]): Promise<ReadonlyMap<string, SubmissionRecord>> {
    const users = wanted.map(({ user }) => user)
    const keys = wanted.map(({ key }) => key)
    const { rows } = await sql<Tables['submissions']>`
      select submissions.* from unnest(${users}::text[], ${keys}::text[]) as wanted (user_id, key)
      join submissions using (user_id, key)`.execute(this.#reader)
    return new Map(
      rows.map((row) => [
        JSON.stringify([row.user_id, row.key]),
        {
          user: row.user_id,
          idempotencyKey: row.key,
          requestHash: row.request_hash,
          workloads: row.workloads as SubmissionRecord['workloads'],
          at: row.at,
        },
      ]),
    )
  }
}
