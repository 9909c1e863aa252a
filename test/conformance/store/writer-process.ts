import { openStore, StoreError } from '../../../src/adapters/store-postgres/index.ts'
import { canonicalJson, present, randomStream } from '../../../src/base/index.ts'
import type { Store } from '../../../src/control/index.ts'
import { replayed } from './replayed.ts'
import { aBatch, anEvent } from './stored-things.ts'

/**
 * Opens the store at `location`, checks that everything up to `acknowledged` is there and equal to a replay of the log,
 * and appends until it is killed. Says `opening`, `opened`, `acked N`, or `refused CODE`.
 */
const [location = '', acknowledged = '0', seed = '1'] = process.argv.slice(2)
const say = (line: string) => process.stdout.write(`${line}\n`)

say('opening')
try {
  const store = await openStore(location.includes('://') ? { databaseUrl: location } : { dataDir: location })
  await store.lead()
  await check(store, Number(acknowledged))
  say('opened')
  await appendForEver(store)
} catch (error) {
  if (!(error instanceof StoreError)) throw error
  say(`refused ${error.code}`)
}

async function check(store: Store, atLeast: number): Promise<void> {
  const state = await store.load()
  const last = state.lastSequence
  if (last < atLeast) throw new Error(`event ${atLeast} was acknowledged, and the log ends at ${last}`)
  const events = await store.events({ after: 0, limit: last + 1 })
  const expected = Array.from({ length: last }, (_, index) => anEvent(index + 1))
  if (canonicalJson(events) !== canonicalJson(expected))
    throw new Error(`the log up to ${last} is not what was written`)
  const { documents, workloads } = replayed(0, last)
  if (canonicalJson(state.documents) !== canonicalJson(documents.filter((it) => it.value !== undefined))) {
    throw new Error(`the documents are not those of a replay up to ${last}`)
  }
  if (canonicalJson(state.workloads) !== canonicalJson(workloads)) {
    throw new Error(`the workloads are not those of a replay up to ${last}`)
  }
}

async function appendForEver(store: Store): Promise<never> {
  const random = randomStream(Number(seed), 'batches')
  let { lastSequence } = await store.load()
  for (;;) {
    const events = Array.from({ length: 1 + random.below(40) }, (_, index) =>
      anEvent(lastSequence + 1 + index),
    )
    const next = present(events.at(-1), 'event').sequence
    await store.append(aBatch({ events, ...replayed(lastSequence, next) }))
    lastSequence = next
    say(`acked ${lastSequence}`)
  }
}
