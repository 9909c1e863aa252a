import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  backup,
  openStore,
  type PostgresStore,
  restore,
  type StoreLocation,
} from '../../../src/adapters/store-postgres/index.ts'
import {
  type AttemptId,
  compareIds,
  id,
  type NodeId,
  randomStream,
  type WorkloadId,
} from '../../../src/base/index.ts'
import type {
  BillSums,
  Event,
  EventQuery,
  LoggedEvent,
  UsageQuery,
  UsageSum,
} from '../../../src/control/index.ts'
import { billOf, priceOf, sumSpans, USAGE_GROUPS } from '../../../src/control/index.ts'
import {
  type Actor,
  DEFAULT_POLICY,
  SCHEDULER,
  SPAN_CAUSES,
  type UsageSpan,
} from '../../../src/model/index.ts'
import { aBatch, anOwner, aWorkload } from './stored-things.ts'

/** What is read of a store for the bill and the audit, held against slow twins under random questions. */
export function readingConformance(
  name: string,
  fresh: () => Promise<{ location: StoreLocation; remove: () => void }>,
): void {
  describe(name, () => {
    let place: Awaited<ReturnType<typeof fresh>>
    let store: PostgresStore
    beforeEach(async () => {
      place = await fresh()
      store = await openStore(place.location)
      await store.lead()
    })
    afterEach(async () => {
      await store.close()
      place.remove()
    })

    it('adds up spans as the slow twin does, by every group and for every scope', async () => {
      const spans = manySpans(600)
      for (let at = 0; at < spans.length; at += 200)
        await store.append(aBatch({ spans: spans.slice(at, at + 200) }))
      for (const query of usageQueries(40)) {
        expect(inOrder(await store.usage(query)), JSON.stringify(query)).toEqual(
          inOrder(sumSpans(spans, query)),
        )
      }
    })

    it('[S9] [C21] makes the bill that the slow twin makes, of the first workloads by cost, whatever the prices and the limit', async () => {
      const live = manySpans(650).slice(600)
      const ended = [...manySpans(600), ...alikeSpans(40)]
      await store.append(aBatch({ spans: ended }))
      const random = randomStream(13, 'bills')
      for (const { by: _, ...question } of usageQueries(60)) {
        const whose = random.below(3) ? question : { periods: question.periods, organisation: 'alike' }
        const query = { ...whose, by: 'workload' } as const
        const prices = [2, 0.37, 0].map((price) => ({ H100: price, 'a100-40': random.below(300) / 100 }))
        const periods = query.periods.map((period, i) => ({ ...period, perGpuHour: prices[i] ?? {} }))
        const open = sumSpans(random.below(2) ? live : [], query)
        const limit = 1 + random.below(12)
        const top = await store.topUsage({
          ...query,
          limit,
          keys: open.map(({ key }) => key),
          priceOf: (period, model) => priceOf(periods[period]!.perGpuHour, model) ?? 0,
        })
        const told = new Set(top.sums.map(({ key }) => key))
        expect(told.size).toBeLessThanOrEqual(limit + new Set(open.map(({ key }) => key)).size)
        expect(
          rounded(billOf(periods, top.sums, open, limit, top.rest)),
          JSON.stringify({ query, limit }),
        ).toEqual(rounded(billOf(periods, sumSpans(ended, query), open, limit)))
      }
    })

    it('adds up the same from a backup, and names workloads', async () => {
      await store.append(aBatch({ spans: manySpans(50), workloads: [aWorkload(1), aWorkload(2)] }))
      expect(await store.names(['w2', 'w9'])).toEqual(new Map([['w2', 'tiny']]))
      const [query] = usageQueries(1)
      const other = await fresh()
      const folder = mkdtempSync(join(tmpdir(), 'banyan-reading-'))
      const file = join(folder, 'backup')
      await backup(store, file)
      await restore(file, other.location)
      const restored = await openStore(other.location)
      expect(await restored.usage(query!)).toEqual(await store.usage(query!))
      await restored.close()
      other.remove()
      rmSync(folder, { recursive: true })
    })

    it('finds events as the slow twin does, in both orders', async () => {
      const events = manyEvents(900)
      for (let at = 0; at < events.length; at += 300)
        await store.append(aBatch({ events: events.slice(at, at + 300) }))
      for (const query of eventQueries(150)) {
        expect(numbers(await store.events(query)), JSON.stringify(query)).toEqual(slowSearch(events, query))
      }
    })
  })
}

const MODELS = ['H100-80GB', 'A100-40GB', '']

function manySpans(count: number): UsageSpan[] {
  const random = randomStream(9, 'spans')
  return Array.from({ length: count }, () => {
    const organisation = ['acme', 'globex'][random.below(2)] ?? ''
    const from = random.below(10_000)
    return {
      workload: id<WorkloadId>(`w${1 + random.below(30)}`),
      owner: anOwner(
        organisation,
        ['red', 'blue'][random.below(2)] ?? '',
        `${organisation}-${random.below(3)}`,
      ),
      gpuModel: MODELS[random.below(MODELS.length)] ?? '',
      milliGpus: 1_000 * (1 + random.below(64)),
      from,
      to: from + 1 + random.below(5_000),
      cause: SPAN_CAUSES[random.below(SPAN_CAUSES.length)] ?? 'work',
    }
  })
}

/** Of workloads that only their ids tell apart. */
function alikeSpans(count: number): UsageSpan[] {
  return Array.from({ length: count }, (_, i) => ({
    workload: id<WorkloadId>(`w${i + 1}`),
    owner: anOwner('alike', 'red', 'alike-1'),
    gpuModel: 'H100-80GB',
    milliGpus: 1_000,
    from: 0,
    to: 20_000,
    cause: 'work',
  }))
}

function usageQueries(count: number): UsageQuery[] {
  const random = randomStream(10, 'usage queries')
  return Array.from({ length: count }, (_, index) => {
    const from = random.below(9_000)
    const cut = from + 1 + random.below(2_000)
    const later = cut + 1 + random.below(6_000)
    const gap = random.below(3) ? 0 : random.below(500)
    return {
      periods: [
        { from, to: cut },
        { from: cut, to: later },
        { from: later + gap, to: later + gap + 1 + random.below(40) },
      ].slice(0, 1 + random.below(3)),
      by: USAGE_GROUPS[index % USAGE_GROUPS.length] ?? 'team',
      ...(random.below(2) ? { organisation: 'acme' } : {}),
      ...(random.below(2) ? { only: { teams: ['acme/red'], user: 'acme-1' } } : {}),
    }
  })
}

/** Money is added up in another order, and so may differ after the last digit that is shown. */
function rounded(bill: BillSums): unknown {
  return JSON.parse(JSON.stringify(bill), (key, value: unknown) =>
    key === 'amount' ? Number((value as number).toFixed(5)) : value,
  )
}

function inOrder(sums: readonly UsageSum[]): UsageSum[] {
  const place = ({ period, key, gpuModel, cause }: UsageSum) => [period, key, gpuModel, cause].join(' ')
  return [...sums].sort((a, b) => compareIds(place(a), place(b)))
}

const ACTORS: readonly Actor[] = [
  { kind: 'user', id: 'ada' },
  { kind: 'user', id: 'eve' },
  { kind: 'engine', id: 'local' },
  SCHEDULER,
]

function manyEvents(count: number): LoggedEvent[] {
  const random = randomStream(11, 'events')
  let at = 1_000
  return Array.from({ length: count }, (_, index) => {
    at += random.below(3)
    const actor = ACTORS[random.below(ACTORS.length)] ?? SCHEDULER
    return {
      sequence: index + 1,
      at,
      actor,
      cause: 'test',
      event: someEvent(random.below(6), random.below(4)),
    }
  })
}

function someEvent(kind: number, number: number): Event {
  const node = id<NodeId>(`n${number}`)
  const attempt = id<AttemptId>(`w${number}.1`)
  switch (kind) {
    case 0:
      return { kind: 'policy-set', policy: DEFAULT_POLICY }
    case 1:
      return { kind: 'node-moved', node, to: 'cordoned', reason: '"why"' }
    case 2:
      return {
        kind: 'attempt-ended',
        attempt,
        endedAt: 1,
        outcome: 'platform-failure',
        failure: { class: 'node-lost', message: '', ...(number > 1 ? { node } : {}) },
        usage: { held: 0, billed: 0, lost: 0 },
      }
    case 3:
      return {
        kind: 'node-described',
        node: {
          id: node,
          domains: [],
          gpuModel: 'H100',
          gpuCount: 8,
          gpuMemoryBytes: 1,
          cpuCount: 1,
          memoryBytes: 1,
          nicCount: 1,
          address: '',
        },
      }
    case 4:
      return { kind: 'node-renamed', node: id<NodeId>(`n${number + 1}`), to: node }
    default:
      return { kind: 'workload-stopping', workload: id<WorkloadId>(`w${number}`), reason: '' }
  }
}

function eventQueries(count: number): EventQuery[] {
  const random = randomStream(12, 'event queries')
  const maybe = <Key extends string, Value>(key: Key, value: Value) =>
    random.below(3) === 0 ? { [key]: value } : {}
  return Array.from({ length: count }, () => ({
    after: random.below(3) ? 0 : random.below(900),
    limit: 1 + random.below(80),
    ...maybe('before', random.below(1_000)),
    ...maybe('newestFirst', true),
    ...maybe('workload', id<WorkloadId>(`w${random.below(5)}`)),
    ...maybe('node', `n${random.below(5)}`),
    ...maybe('kinds', ['policy-set', 'attempt-ended', 'token-issued', 'node-moved'].slice(random.below(4))),
    ...maybe('actor', [ACTORS[0], { kind: 'user' }, { kind: 'engine' }, SCHEDULER][random.below(4)]),
    ...maybe('from', 900 + random.below(1_200)),
    ...maybe('to', 900 + random.below(1_200)),
  }))
}

function slowSearch(all: readonly LoggedEvent[], query: EventQuery): number[] {
  const found = all.filter(({ sequence, at, actor, event }) => {
    const { after, before, workload, node, kinds, from, to } = query
    if (sequence <= after || (before !== undefined && sequence >= before)) return false
    if ((from !== undefined && at < from) || (to !== undefined && at >= to)) return false
    if (kinds && !kinds.includes(event.kind)) return false
    if (query.actor && query.actor.kind !== actor.kind) return false
    if (query.actor?.id !== undefined && !('id' in actor && actor.id === query.actor.id)) return false
    if (workload !== undefined && workloadOf(event) !== workload) return false
    return node === undefined || nodeOf(event) === node
  })
  return numbers(query.newestFirst ? found.reverse() : found).slice(0, query.limit)
}

function workloadOf(event: Event): string | undefined {
  if ('workload' in event) return event.workload
  return 'attempt' in event ? event.attempt.replace(/\.\d+$/, '') : undefined
}

function nodeOf(event: Event): string | undefined {
  if (event.kind === 'node-moved') return event.node
  if (event.kind === 'node-renamed') return event.to
  if (event.kind === 'node-described') return event.node.id
  return event.kind === 'attempt-ended' ? event.failure?.node : undefined
}

function numbers(events: readonly LoggedEvent[]): number[] {
  return events.map(({ sequence }) => sequence)
}
