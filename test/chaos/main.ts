import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../conformance/postgres-server.ts'
import { chaosRounds } from './rounds.ts'

const HELP = `npm run chaos:server -- [--rounds 200] [--store pglite|postgres] [--seed N] [--main FILE] [--json]

Kills a real server with -9 at random instants under load, starts it again, and checks every promise at the end.
--main runs a server that was built instead of the source.`

process.exitCode = await main()

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '200' },
      store: { type: 'string', default: 'pglite' },
      seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
      main: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds)
  const isKnown = values.store === 'pglite' || values.store === 'postgres'
  if (values.help || !isKnown || !Number.isInteger(rounds) || rounds < 1) {
    console.error(HELP)
    return values.help ? 0 : 2
  }
  const postgres = values.store === 'postgres' ? await startPostgres() : undefined
  if (values.store === 'postgres' && !postgres) {
    console.error('PostgreSQL is not here; on Debian: apt-get install postgresql')
    return 2
  }
  const folder = mkdtempSync(join(tmpdir(), 'banyan-chaos-'))
  const began = performance.now()
  try {
    console.error(`seed ${values.seed}, store ${values.store}`)
    const report = await chaosRounds({
      folder,
      rounds,
      seed: Number(values.seed),
      say: (line) => console.error(line),
      ...(postgres ? { databaseUrl: postgres.url } : {}),
      ...(values.main !== undefined ? { main: values.main } : {}),
    })
    const seconds = Math.round((performance.now() - began) / 1_000)
    const summary = { store: values.store, seed: Number(values.seed), seconds, ...report }
    console.log(JSON.stringify(summary, null, values.json ? 0 : 2))
    if (report.faults.length === 0) rmSync(folder, { recursive: true, force: true })
    else console.error(`what is left of it: ${folder}`)
    return report.faults.length === 0 ? 0 : 1
  } finally {
    await postgres?.stop()
  }
}
