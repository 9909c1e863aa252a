import type { StoreLocation } from '../../src/adapters/store-postgres/index.ts'
import { openStore } from '../../src/adapters/store-postgres/index.ts'
import { canonicalJson } from '../../src/base/index.ts'
import {
  type ControlState,
  emptyState,
  evolve,
  type LoggedEvent,
  restoreState,
  type Store,
  serialiseState,
  violations,
} from '../../src/control/index.ts'
import type { Attempt, Workload } from '../../src/model/index.ts'

const PAGE = 2_000

export interface Audit {
  readonly faults: string[]
  readonly events: number
  readonly workloads: ReadonlyMap<string, Workload>
}

/**
 * What a store holds while no server runs on it, checked against its own log: the whole log replayed must give, byte
 * for byte, the live state that `load` gives, and every workload and attempt that has left it.
 */
export async function auditStore(location: StoreLocation): Promise<Audit> {
  const store = await openStore(location)
  try {
    return await audit(store)
  } finally {
    await store.close()
  }
}

async function audit(store: Store): Promise<Audit> {
  const faults: string[] = []
  const { state, departed, events } = await replay(store)
  const loaded = restoreState(await store.load())
  const [replayed, stored] = [serialiseState(state), serialiseState(loaded)]
  if (replayed !== stored)
    faults.push(`the log gives another state than the store holds: ${firstDifference(replayed, stored)}`)
  for (const violation of violations(loaded)) faults.push(`${violation.rule}: ${violation.detail}`)
  const workloads = await allWorkloads(store)
  for (const [id, workload] of departed.workloads) {
    const [wanted, found] = [canonicalJson(workload), canonicalJson(workloads.get(id) ?? null)]
    if (wanted !== found) faults.push(`${id} differs from its log: ${firstDifference(wanted, found)}`)
    const attempts = await store.attempts(workload.id)
    const wantedAttempts = [...departed.attempts.values()].filter((attempt) => attempt.workload === id)
    const [a, b] = [canonicalJson(wantedAttempts), canonicalJson(attempts)]
    if (a !== b) faults.push(`the attempts of ${id} differ from their log: ${firstDifference(a, b)}`)
  }
  const known = departed.workloads.size + state.workloads.size
  if (known !== workloads.size)
    faults.push(`the log knows ${known} workloads and the store ${workloads.size}`)
  return { faults, events, workloads }
}

interface Replayed {
  readonly state: ControlState
  readonly departed: { readonly workloads: Map<string, Workload>; readonly attempts: Map<string, Attempt> }
  readonly events: number
}

async function replay(store: Store): Promise<Replayed> {
  const state = emptyState()
  const departed = { workloads: new Map<string, Workload>(), attempts: new Map<string, Attempt>() }
  for (let events = 0; ; ) {
    const page: readonly LoggedEvent[] = await store.events({ after: state.lastSequence, limit: PAGE })
    for (const logged of page) evolve(state, logged)
    events += page.length
    const left = state.derived.departed
    for (const [id, workload] of left.workloads) departed.workloads.set(id, workload)
    for (const [id, attempt] of left.attempts) departed.attempts.set(id, attempt)
    left.workloads.clear()
    left.attempts.clear()
    left.spans.length = 0
    if (page.length === 0) return { state, departed, events }
  }
}

async function allWorkloads(store: Store): Promise<Map<string, Workload>> {
  const workloads = new Map<string, Workload>()
  for (let cursor: string | undefined; ; ) {
    const page = await store.workloads({ limit: PAGE, ...(cursor !== undefined ? { cursor } : {}) })
    for (const workload of page.items) workloads.set(workload.id, workload)
    cursor = page.next
    if (cursor === undefined) return workloads
  }
}

function firstDifference(a: string, b: string): string {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  const around = (text: string) => text.slice(Math.max(0, at - 80), at + 80)
  return `at byte ${at}: …${around(a)}… against …${around(b)}…`
}
