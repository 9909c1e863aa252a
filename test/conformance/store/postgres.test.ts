import { afterAll, describe, expect, it } from 'vitest'
import { openStore } from '../../../src/adapters/store-postgres/index.ts'
import { startPostgres } from '../postgres-server.ts'
import { readingConformance } from './reading-conformance.ts'
import { storeConformance } from './store-conformance.ts'
import { aBatch, anEvent } from './stored-things.ts'
import { upgradeConformance } from './upgrade-conformance.ts'

const server = await startPostgres()
afterAll(() => server?.stop())

if (!server) {
  it.skip('PostgreSQL is not installed, so nothing was tried on it', () => {})
} else {
  const fresh = async () => ({
    location: { databaseUrl: await server.createDatabase() },
    remove: () => {},
  })
  storeConformance('a PostgreSQL server', fresh)
  upgradeConformance('upgrading a PostgreSQL server', fresh)
  readingConformance('reading a PostgreSQL server', fresh)

  describe('several servers on one PostgreSQL', () => {
    it('have one leader; when its connection dies it learns so, and the next one leads', async () => {
      const location = { databaseUrl: await server.createDatabase() }
      const [first, second] = await Promise.all([openStore(location), openStore(location)])
      const { lost } = await first.lead()
      await first.append(aBatch({ events: [anEvent(1)] }))
      let isSecondLeading = false
      const secondLeads = second.lead().then(() => {
        isSecondLeading = true
      })
      expect((await second.load()).lastSequence).toBe(1)
      expect(isSecondLeading).toBe(false)

      await endLeader(location.databaseUrl)
      await lost
      await secondLeads
      await expect(first.append(aBatch({ events: [anEvent(2)] }))).rejects.toMatchObject({
        code: 'not-leader',
      })
      await second.append(aBatch({ events: [anEvent(2)] }))
      expect((await first.load()).lastSequence).toBe(2)
      await Promise.all([first.close(), second.close()])
    })

    it('know where the leader answers for as long as it leads', async () => {
      const location = { databaseUrl: await server.createDatabase() }
      const [first, second] = await Promise.all([openStore(location), openStore(location)])
      expect(await second.leader()).toBeUndefined()
      const leadership = await first.lead()
      expect(await second.leader()).toBeUndefined()
      await leadership.advertise('http://banyan-1:7600')
      expect(await second.leader()).toBe('http://banyan-1:7600')
      await expect(leadership.advertise(`http://${'x'.repeat(60)}`)).rejects.toThrow('--advertise')
      const next = second.lead()
      await first.close()
      await (await next).advertise('http://banyan-2:7600')
      expect(await second.leader()).toBe('http://banyan-2:7600')
      await second.close()
    })

    it('stops waiting for the lead when the store is closed', async () => {
      const location = { databaseUrl: await server.createDatabase() }
      const [first, second] = await Promise.all([openStore(location), openStore(location)])
      await first.lead()
      const waiting = second.lead()
      await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'unreachable' }), second.close()])
      await first.close()
    })
  })

  describe('a wrong DATABASE_URL', () => {
    const right = new URL(server.url)
    const wrong = (change: (url: URL) => void) => {
      const url = new URL(right)
      change(url)
      return openStore({ databaseUrl: url.href }).then(
        () => new Error('it opened'),
        (error: Error) => error,
      )
    }

    it.each([
      ['password', (url: URL) => (url.password = 'secret-7'), /password authentication failed.*pg_hba.conf/],
      ['port', (url: URL) => (url.port = '1'), /ECONNREFUSED.*Check that the server runs there/],
      ['database', (url: URL) => (url.pathname = '/nowhere'), /"nowhere" does not exist.*createdb/],
      ['scheme', (url: URL) => (url.href = url.href.replace('postgresql', 'mysql')), /write postgresql:/],
    ])('has an error that names what to check, without the password: %s', async (_, change, expected) => {
      const error = await wrong(change)
      expect(error).toMatchObject({ code: 'unreachable', message: expect.stringMatching(expected) })
      expect(error.message).not.toMatch(/secret-7|only.*for.*tests/)
    })
  })
}

/** Ends the one session that holds the leader's lock, as a failing network or an administrator would. */
async function endLeader(url: string): Promise<void> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rowCount } = await client.query(
    `select pg_terminate_backend(pid) from pg_locks join pg_database on pg_database.oid = pg_locks.database
     where locktype = 'advisory' and granted and datname = current_database()`,
  )
  await client.end()
  expect(rowCount).toBe(1)
}
