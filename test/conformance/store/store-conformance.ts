import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  backup,
  openStore,
  type PostgresStore,
  restore,
  type StoreLocation,
} from '../../../src/adapters/store-postgres/index.ts'
import { canonicalJson, id, randomStream, type WorkloadId } from '../../../src/base/index.ts'
import type { LoggedEvent, WorkloadQuery } from '../../../src/control/index.ts'
import { WORKLOAD_STATES, type Workload } from '../../../src/model/index.ts'
import { replayed } from './replayed.ts'
import { aBatch, anAttempt, anEvent, anOwner, aWorkload, inState } from './stored-things.ts'

/** What every store must do. `fresh` makes an empty place and says how to get rid of it. */
export function storeConformance(
  name: string,
  fresh: () => Promise<{ location: StoreLocation; remove: () => void }>,
): void {
  describe(name, () => {
    let place: Awaited<ReturnType<typeof fresh>>
    let store: PostgresStore
    beforeEach(async () => {
      place = await fresh()
      store = await openStore(place.location)
    })
    afterEach(async () => {
      await store.close()
      place.remove()
    })
    const reopen = async () => {
      await store.close()
      store = await openStore(place.location)
    }

    describe('append', () => {
      it('is there after the store was closed and opened, equal in every byte', async () => {
        const awkward = {
          z: 1,
          a: [1.5, -0, 1e-7, 1e21, Number.MAX_SAFE_INTEGER, null, true],
          'with "quotes" and \\': '\u0000 \ud800 \u2028 {NULL} 你好 \u{1F333}',
          '': { 10: 'x', 9: 'y', __proto__x: {} },
        }
        const workload = aWorkload(1, { stateReason: awkward['with "quotes" and \\'] })
        const events = [anEvent(1), { ...anEvent(2), actor: { kind: 'user' as const, id: '"\\ä' } }]
        await store.lead()
        await store.append(
          aBatch({
            events,
            documents: [
              { collection: 'b', id: '{"}', value: awkward },
              { collection: 'a', id: 'null', value: null },
              { collection: 'a', id: 'text', value: 'text' },
            ],
            workloads: [workload],
            attempts: [anAttempt(1, 1)],
          }),
        )
        await reopen()
        const state = await store.load()
        expect(canonicalJson(state)).toBe(
          canonicalJson({
            lastSequence: 2,
            documents: [
              { collection: 'a', id: 'null', value: null },
              { collection: 'a', id: 'text', value: 'text' },
              { collection: 'b', id: '{"}', value: awkward },
            ],
            workloads: [workload],
            attempts: [anAttempt(1, 1)],
          }),
        )
        expect(canonicalJson(await store.events({ after: 0, limit: 10 }))).toBe(canonicalJson(events))
      })

      it('leaves nothing of a batch of which one part cannot be written', async () => {
        const submission = { user: 'ada', idempotencyKey: 'k', requestHash: 'h', workloads: [], at: 5 }
        await store.lead()
        await store.append(aBatch({ events: [anEvent(1)], submissions: [submission] }))
        const before = await store.load()
        await expect(
          store.append(
            aBatch({
              events: [anEvent(2)],
              documents: [{ collection: 'a', id: 'b', value: 1 }],
              workloads: [aWorkload(2)],
              attempts: [anAttempt(2, 1)],
              submissions: [submission],
            }),
          ),
        ).rejects.toThrow(/submissions_pkey/)
        expect(await store.load()).toEqual(before)
        expect(await store.events({ after: 0, limit: 10 })).toEqual([anEvent(1)])
      })

      it('refuses a batch that repeats events or leaves a gap, and goes on with the right one', async () => {
        await store.lead()
        await store.append(aBatch({ events: [anEvent(1), anEvent(2)] }))
        await expect(store.append(aBatch({ events: [anEvent(2)] }))).rejects.toMatchObject({
          code: 'out-of-step',
        })
        await expect(store.append(aBatch({ events: [anEvent(4)] }))).rejects.toMatchObject({
          code: 'out-of-step',
        })
        await expect(store.append(aBatch({ events: [anEvent(3), anEvent(5)] }))).rejects.toThrow(
          /without a gap/,
        )
        await store.append(aBatch({ events: [anEvent(3)] }))
        expect((await store.load()).lastSequence).toBe(3)
      })

      it('writes the last of several versions, removes documents without a value', async () => {
        const collection = 'nodes'
        await store.lead()
        await store.append(aBatch({ documents: [{ collection, id: 'gone', value: 1 }] }))
        await store.append(
          aBatch({
            documents: [
              { collection, id: 'gone' },
              { collection, id: 'kept', value: 1 },
              { collection, id: 'kept', value: 2 },
              { collection, id: 'brief', value: 1 },
              { collection, id: 'brief' },
            ],
            workloads: [aWorkload(1), inState(aWorkload(1), 'running')],
          }),
        )
        expect(await store.load()).toMatchObject({
          documents: [{ collection, id: 'kept', value: 2 }],
          workloads: [{ id: 'w1', state: 'running' }],
        })
      })

      it('is refused before this process leads and after it has released the lead', async () => {
        const batch = aBatch({ events: [anEvent(1)] })
        await expect(store.append(batch)).rejects.toMatchObject({ code: 'not-leader' })
        const leadership = await store.lead()
        await leadership.release()
        await leadership.lost
        await expect(store.append(batch)).rejects.toMatchObject({ code: 'not-leader' })
        await store.lead()
        await store.append(batch)
      })

      it('is refused to a leader whose lead another has taken, and leaves no trace', async () => {
        await store.lead()
        await store.append(aBatch({ events: [anEvent(1)] }))
        await sql`update ledger set epoch = epoch + 1`.execute(store.database.reader)
        await expect(
          store.append(aBatch({ events: [anEvent(2)], workloads: [aWorkload(2)] })),
        ).rejects.toMatchObject({
          code: 'not-leader',
        })
        expect(await store.load()).toMatchObject({ lastSequence: 1, workloads: [] })
      })
    })

    it.each(['update events set cause = $$x$$', 'delete from events', 'truncate events'])(
      'keeps the log append-only against: %s',
      async (statement) => {
        await store.lead()
        await store.append(aBatch({ events: [anEvent(1)] }))
        await expect(sql.raw(statement).execute(store.database.reader)).rejects.toThrow(/append-only/)
        expect(await store.events({ after: 0, limit: 10 })).toEqual([anEvent(1)])
      },
    )

    it('loads what is live, and finds what is final by its id', async () => {
      const live = [aWorkload(2), inState(aWorkload(10), 'stopping')]
      const final = [inState(aWorkload(1), 'failed'), inState(aWorkload(9), 'succeeded')]
      const attempts = [anAttempt(9, 1, { state: 'ended', endedAt: 7 }), anAttempt(10, 2), anAttempt(10, 1)]
      await store.lead()
      await store.append(aBatch({ workloads: [...final, ...live], attempts }))
      const state = await store.load()
      expect(state.workloads).toEqual(live)
      expect(state.attempts.map((attempt) => attempt.id)).toEqual(['w10.1', 'w10.2'])
      expect(await store.workload(id<WorkloadId>('w9'))).toEqual(final[1])
      expect(await store.workload(id<WorkloadId>('w3'))).toBeUndefined()
      expect(await store.workload(id<WorkloadId>("w1' or 1=1"))).toBeUndefined()
      expect(await store.attempts(id<WorkloadId>('w9'))).toEqual([attempts[0]])
      expect(await store.attempts(id<WorkloadId>('none'))).toEqual([])
    })

    it('gives events in order, after a number, up to a limit, of one workload with its attempts', async () => {
      const running: LoggedEvent = {
        ...anEvent(3),
        event: { kind: 'attempt-running', attempt: anAttempt(1, 1).id },
      }
      const events = [anEvent(1, 1), anEvent(2, 2), running, anEvent(4, 11)]
      await store.lead()
      await store.append(aBatch({ events }))
      expect(await store.events({ after: 1, limit: 2 })).toEqual([events[1], events[2]])
      expect(await store.events({ after: 0, limit: 9, workload: id('w1') })).toEqual([events[0], events[2]])
      expect(await store.events({ after: 4, limit: 9 })).toEqual([])
    })

    it('remembers which workloads a submission made, for each user on their own', async () => {
      const record = {
        user: 'ada',
        idempotencyKey: 'k',
        requestHash: 'h',
        workloads: [id<WorkloadId>('w1')],
        at: 5,
      }
      await store.lead()
      await store.append(aBatch({ submissions: [record, { ...record, user: 'bob' }] }))
      expect(await store.submission('ada', 'k')).toEqual(record)
      expect(await store.submission('ada', 'other')).toBeUndefined()
      expect(await store.submission('eve', 'k')).toBeUndefined()
    })

    describe('workloads', () => {
      it('gives every page of every query as a slow search over all of them does', async () => {
        const all = manyWorkloads(400)
        const byId = new Map(all.map((workload) => [workload.id, workload]))
        await store.lead()
        await store.append(aBatch({ workloads: all }))
        for (const query of someQueries(60)) {
          const found: Workload[] = []
          let cursor: string | undefined
          do {
            const page = await store.workloads({ ...query, ...(cursor ? { cursor } : {}) })
            expect(page.items.length).toBeLessThanOrEqual(query.limit)
            found.push(...page.items)
            cursor = page.next
          } while (cursor)
          expect(
            found.map((it) => it.id),
            JSON.stringify(query),
          ).toEqual(slowSearch(all, query))
          expect(found).toEqual(found.map(({ id }) => byId.get(id)))
        }
      })

      it('goes on from a page where newer workloads came meanwhile', async () => {
        await store.lead()
        await store.append(aBatch({ workloads: [1, 2, 3].map((number) => aWorkload(number)) }))
        const first = await store.workloads({ limit: 2 })
        await store.append(aBatch({ workloads: [aWorkload(4)] }))
        const second = await store.workloads({ limit: 2, cursor: first.next ?? '' })
        expect([first, second].map((page) => page.items.map((it) => it.id))).toEqual([['w3', 'w2'], ['w1']])
        expect(second.next).toBeUndefined()
      })

      it('gives each as it is now, finished or not, however often it is asked', async () => {
        await store.lead()
        const queued = [1, 2, 3].map((number) => aWorkload(number))
        await store.append(aBatch({ workloads: queued }))
        expect((await store.workloads({ limit: 9 })).items).toEqual(queued.toReversed())
        const now = queued.map((workload, index) =>
          inState(workload, (['succeeded', 'running', 'failed'] as const)[index]!),
        )
        await store.append(aBatch({ workloads: now }))
        for (let times = 0; times < 3; times++)
          expect((await store.workloads({ limit: 9 })).items).toEqual(now.toReversed())
      })

      it('refuses a cursor that no page gave', async () => {
        await expect(store.workloads({ limit: 2, cursor: "'; drop" })).rejects.toMatchObject({
          code: 'bad-cursor',
        })
      })
    })

    it('tells the leader when the store was closed', async () => {
      const { lost } = await store.lead()
      await store.close()
      await lost
      await expect(store.append(aBatch({ events: [anEvent(1)] }))).rejects.toMatchObject({
        code: 'not-leader',
      })
      store = await openStore(place.location)
    })

    it('refuses data that a newer Banyan wrote', async () => {
      await sql`insert into migrations (version, name) values (9999, 'the future')`.execute(
        store.database.reader,
      )
      await store.close()
      await expect(openStore(place.location)).rejects.toMatchObject({
        code: 'too-new',
        message: expect.stringMatching(/schema is version 9999.*Start the newer Banyan/),
      })
    })

    describe('backup', () => {
      let folder: string
      beforeAll(() => {
        folder = mkdtempSync(join(tmpdir(), 'banyan-backup-'))
      })
      afterAll(() => rmSync(folder, { recursive: true }))

      it('gives the same state, log and history when it is restored, and refuses a place in use', async () => {
        const file = join(folder, 'whole')
        const history = manyWorkloads(50)
        const submission = { user: 'ada', idempotencyKey: '\u0001"', requestHash: 'h', workloads: [], at: 5 }
        await store.lead()
        await store.append(
          aBatch({
            events: [anEvent(1), anEvent(2)],
            documents: [{ collection: 'a', id: 'b', value: { z: '\u0000\n', a: 1e21 } }],
            workloads: history,
            attempts: [anAttempt(1, 1), anAttempt(2, 1, { state: 'ended', endedAt: 5 })],
            submissions: [submission],
          }),
        )
        const everything = async (of: PostgresStore) =>
          canonicalJson([
            await of.load(),
            await of.events({ after: 0, limit: 100 }),
            await of.workloads({ limit: 100 }),
            await of.attempts(id<WorkloadId>('w2')),
            await of.submission('ada', submission.idempotencyKey),
          ])
        expect(await backup(store, file)).toMatchObject({ lastSequence: 2 })
        await store.append(aBatch({ events: [anEvent(3)] }))
        await expect(backup(store, file)).rejects.toMatchObject({ code: 'file-exists' })
        await store.close()
        await expect(restore(file, place.location)).rejects.toMatchObject({ code: 'not-empty' })

        const other = await fresh()
        expect(await restore(file, other.location)).toMatchObject({
          format: 'banyan-backup',
          lastSequence: 2,
        })
        const restored = await openStore(other.location)
        store = await openStore(place.location)
        const inOriginal = await everything(store)
        await restored.lead()
        await restored.append(aBatch({ events: [anEvent(3)] }))
        expect(await everything(restored)).toBe(inOriginal)
        await restored.close()
        other.remove()
      })

      it('is of one instant, while batches are appended', async () => {
        const file = join(folder, 'in-use')
        await store.lead()
        let last = 0
        const appendNext = async () => {
          const events = [1, 2, 3].map((step) => anEvent(last + step))
          await store.append(aBatch({ events, ...replayed(last, last + 3) }))
          last += 3
        }
        for (let batch = 0; batch < 20; batch++) await appendNext()
        let isDone = false
        const made = backup(store, file).finally(() => {
          isDone = true
        })
        do await appendNext()
        while (!isDone)
        const { lastSequence } = await made
        expect(lastSequence).toBeGreaterThanOrEqual(60)
        expect(lastSequence).toBeLessThan(last)
        const other = await fresh()
        await restore(file, other.location)
        const restored = await openStore(other.location)
        const { documents, workloads } = replayed(0, lastSequence)
        expect(await restored.load()).toEqual({
          lastSequence,
          documents: documents.filter((document) => document.value !== undefined),
          workloads,
          attempts: [],
        })
        await restored.close()
        other.remove()
      })
    })
  })
}

function manyWorkloads(count: number): Workload[] {
  const random = randomStream(7, 'workloads')
  return Array.from({ length: count }, (_, index) => {
    const organisation = ['acme', 'globex'][random.below(2)] ?? ''
    const team = ['research', 'serving'][random.below(2)] ?? ''
    const workload = aWorkload(index + 1, {
      owner: anOwner(organisation, team, `${organisation}-${random.below(3)}`),
    })
    const named = { ...workload, spec: { ...workload.spec, name: `name-${random.below(4)}` } }
    return inState(named, WORKLOAD_STATES[random.below(WORKLOAD_STATES.length)] ?? 'queued')
  })
}

function someQueries(count: number): WorkloadQuery[] {
  const random = randomStream(8, 'queries')
  const maybe = <Value>(value: Value) => (random.below(2) ? value : undefined)
  return Array.from({ length: count }, () => {
    const query = {
      organisation: maybe('acme'),
      team: maybe('acme/research'),
      user: maybe(`acme-${random.below(3)}`),
      name: maybe(`name-${random.below(4)}`),
      states: maybe(WORKLOAD_STATES.filter(() => random.below(2))),
    }
    const given = Object.entries(query).filter(([, value]) => value !== undefined)
    return { ...Object.fromEntries(given), limit: 1 + random.below(60) }
  })
}

function slowSearch(all: readonly Workload[], query: WorkloadQuery): string[] {
  return all
    .filter(
      (it) =>
        (query.organisation === undefined || it.owner.organisation === query.organisation) &&
        (query.team === undefined || it.owner.team === query.team) &&
        (query.user === undefined || it.owner.user === query.user) &&
        (query.name === undefined || it.spec.name === query.name) &&
        (query.states === undefined || query.states.includes(it.state)),
    )
    .map((it) => it.id)
    .reverse()
}
