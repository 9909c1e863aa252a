import { openStore, type StoreLocation } from '../../../src/adapters/store-postgres/index.ts'
import { id, type OrganisationId, type UserId } from '../../../src/base/index.ts'
import {
  batchOf,
  type Command,
  DEFAULT_FAILURE_CLASSES,
  type Decision,
  decide,
  type EngineFact,
  restoreState,
} from '../../../src/control/index.ts'
import {
  type Actor,
  type Owner,
  SCHEDULER,
  SYSTEM,
  teamId,
  type WorkloadSpec,
} from '../../../src/model/index.ts'
import { parseSpec } from '../../../src/model/spec/index.ts'

const AT_ONCE = 500
const ENGINE: Actor = { kind: 'engine', id: 'local' }
const OWNER: Owner = {
  organisation: id<OrganisationId>('default'),
  team: teamId('default', 'default'),
  user: id<UserId>('operator'),
}

/**
 * Fills a store with so many finished workloads, each decided by control as in life: submitted, placed, run and ended.
 * The store must have been started on by a server once, so that the first tenant is there.
 */
export async function fillWithHistory(location: StoreLocation, count: number): Promise<void> {
  const store = await openStore(location)
  try {
    await store.lead()
    const state = restoreState(await store.load())
    let now = state.now
    const events: Extract<Decision, { ok: true }>['events'][number][] = []
    const run = (command: Command, actor: Actor) => {
      const decision = decide(state, command, { now, actor, failureClasses: DEFAULT_FAILURE_CLASSES })
      if (!decision.ok) throw new Error(decision.rejection.message)
      events.push(...decision.events)
      return decision.events
    }
    const [local] = state.nodes.values()
    if (!local) throw new Error('no server has been started on this store')
    const { state: _state, stateReason, stateActor, stateSince, contact, ...description } = local
    run(
      {
        kind: 'inventory',
        inventory: { levels: state.cluster.levels, nodes: [{ ...description, gpuCount: AT_ONCE }] },
      },
      ENGINE,
    )
    for (let made = 0; made < count; made += AT_ONCE) {
      const specs = Array.from({ length: Math.min(AT_ONCE, count - made) }, (_, i) => specOf(made + i))
      run({ kind: 'submit', owner: OWNER, specs, ended: new Map() }, SYSTEM)
      const attempts = run({ kind: 'schedule' }, SCHEDULER).flatMap(({ event }) =>
        event.kind === 'attempt-planned' ? event.attempt : [],
      )
      const observe = (facts: readonly EngineFact[]) =>
        run({ kind: 'observe', facts, complete: false }, ENGINE)
      observe(attempts.map((attempt) => ({ kind: 'attempt-running', attempt, at: now })))
      now += 1_000
      const exit = { task: 0, node: local.id, exitCode: 0, at: now, logTail: '', stopped: false }
      observe(attempts.map((attempt) => ({ kind: 'attempt-ended', attempt, at: now, exits: [exit] })))
      await store.append(batchOf(state, events))
      events.length = 0
    }
    if (state.workloads.size > 0)
      throw new Error(`${state.workloads.size} workloads of the history did not end`)
  } finally {
    await store.close()
  }
}

function specOf(number: number): WorkloadSpec {
  const parsed = parseSpec(
    JSON.stringify({ type: 'train', name: `past-${number % 1_000}`, gpus: 1, run: 'true' }),
    {
      file: 'spec',
      folder: '/',
      set: {},
    },
  )
  const spec = parsed.ok ? parsed.value.specs[0] : undefined
  if (!spec) throw new Error('the spec of the history has errors')
  return spec
}
