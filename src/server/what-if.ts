import type { ContractOf, HandlerInput, Impact } from '../api/index.ts'
import type { NodeId, QueueId, ReservationId, WorkloadId } from '../base/index.ts'
import { id, present } from '../base/index.ts'
import { checkQueue, reservationOf } from '../control/index.ts'
import type { Policy, Queue, Workload } from '../model/index.ts'
import { maySee, PRIORITY_RANK } from '../model/index.ts'
import type { Edit, Forecast, StartChange } from '../scheduler/index.ts'
import { whatIf } from '../scheduler/index.ts'
import type { CallContext } from './context.ts'
import { findChangeable } from './find.ts'
import { HYPOTHETICAL, hypotheticalGang } from './outlook.ts'
import { ProblemError, problemOfRejection } from './problem-error.ts'
import { newReservation } from './reservations.ts'
import { merge } from './settings.ts'
import { parseForTrial } from './submitting.ts'

type WireEdit = HandlerInput<ContractOf<'askWhatIf'>>['edits'][number]
type Effect = Impact['effects'][number]
type Fate = Effect['before']

const OPTIONS = { replications: 16, seed: 1, firstStarts: 1_000 }

/** What these changes would do, tried on a copy of the live state; nothing is changed. */
export async function askWhatIf(context: CallContext, edits: readonly WireEdit[]): Promise<Impact> {
  const trials: Edit[] = []
  // Each change of a queue is checked as if those before it had been made.
  const queues = new Map(context.ledger.state.queues)
  for (const edit of edits) trials.push(await trialOf(context, edit, queues))
  return impactOf(context, trials)
}

/** The same for a policy that is not in force yet. */
export function previewPolicy(context: CallContext, policy: Policy): Impact {
  return impactOf(context, [{ kind: 'set-policy', policy }])
}

/** The same for changes of policy and queues that belong together. */
export function previewRules(
  context: CallContext,
  policy: Policy | undefined,
  queues: readonly Queue[],
): Impact {
  return impactOf(context, [
    ...queues.map((queue): Edit => ({ kind: 'set-queue', queue })),
    ...(policy ? [{ kind: 'set-policy', policy } as const] : []),
  ])
}

/** Members may try what they may do; what belongs to the whole machine is tried by operators (S9). */
async function trialOf(context: CallContext, edit: WireEdit, queues: Map<QueueId, Queue>): Promise<Edit> {
  const { state } = context.ledger
  switch (edit.kind) {
    case 'submit': {
      const { owner, specs } = parseForTrial(context, edit.spec, edit.team)
      return { kind: 'submit', gang: hypotheticalGang(owner, specs[0]!, context.clock.now()) }
    }
    case 'set-priority': {
      const workload = await waiting(context, edit.workload)
      return { kind: 'set-priority', workload, priority: PRIORITY_RANK[edit.priority] }
    }
    case 'stop':
      return { kind: 'withdraw', workload: await waiting(context, edit.workload) }
    case 'add-nodes': {
      operatorsOnly(context, edit.kind)
      const like =
        edit.like === undefined ? [...state.nodes.values()][0] : state.nodes.get(id<NodeId>(edit.like))
      if (!like)
        throw new ProblemError('not-found', `There is no node ${edit.like ?? ''} to copy.`, {
          hint: 'banyan nodes lists them.',
        })
      const copy = (i: number) => ({ ...like, id: id<NodeId>(`what-if-${i + 1}`) })
      return { kind: 'add-nodes', nodes: Array.from({ length: edit.count }, (_, i) => copy(i)) }
    }
    case 'remove-nodes': {
      operatorsOnly(context, edit.kind)
      const unknown = edit.nodes.find((node) => !state.nodes.has(id<NodeId>(node)))
      if (unknown)
        throw new ProblemError('not-found', `There is no node "${unknown}".`, {
          hint: 'banyan nodes lists them.',
        })
      return { kind: 'remove-nodes', nodes: edit.nodes.map((node) => id<NodeId>(node)) }
    }
    case 'set-queue': {
      operatorsOnly(context, edit.kind)
      const queue = queues.get(id<QueueId>(edit.queue))
      if (!queue)
        throw new ProblemError('not-found', `There is no queue "${edit.queue}".`, {
          hint: 'banyan queues lists them.',
        })
      const changed = merge(queue, edit.settings)
      const refusal = checkQueue({ cluster: state.cluster, nodes: state.nodes, queues }, changed)
      if (refusal) throw problemOfRejection(refusal)
      queues.set(changed.id, changed)
      return { kind: 'set-queue', queue: changed }
    }
    case 'reserve': {
      operatorsOnly(context, edit.kind)
      const now = context.clock.now()
      const reservation = reservationOf(state, newReservation(edit.reservation, now), now)
      if ('code' in reservation) throw problemOfRejection(reservation)
      return { kind: 'set-reservation', reservation }
    }
    case 'cancel-reservation': {
      operatorsOnly(context, edit.kind)
      const reservation = id<ReservationId>(edit.reservation)
      if (!state.reservations.has(reservation))
        throw new ProblemError('not-found', `There is no reservation "${edit.reservation}".`, {
          hint: 'banyan reservations lists them.',
        })
      return { kind: 'remove-reservation', reservation }
    }
    case 'set-policy':
      operatorsOnly(context, edit.kind)
      return { kind: 'set-policy', policy: merge(state.policy, edit.settings) }
  }
}

async function waiting(context: CallContext, reference: string): Promise<WorkloadId> {
  const workload = await findChangeable(context, reference)
  if (workload.state === 'queued') return workload.id
  throw new ProblemError(
    'wrong-state',
    `${workload.id} is ${workload.state}; only what waits can be tried so.`,
  )
}

function operatorsOnly({ caller }: CallContext, what: string): void {
  if (caller.user.role === 'operator') return
  throw new ProblemError('forbidden', `Only operators may try ${what}; you are ${caller.user.role}.`, {
    hint: 'Try submissions, and stops and priorities of what is yours.',
  })
}

function impactOf(context: CallContext, edits: readonly Edit[]): Impact {
  const { state } = context.ledger
  const result = whatIf(state.derived.machine, context.clock.now(), edits, OPTIONS)
  const moved = result.changes.flatMap((change) => effectOfChange(context, change))
  const evicted = result.evicted.flatMap((attempt) => {
    const workload = state.workloads.get(present(state.attempts.get(attempt), `attempt ${attempt}`).workload)
    return workload && isVisible(context, workload) ? [evictionOf(workload)] : []
  })
  const effects = [...evicted, ...moved]
  const count = (kind: Effect['effect']) => effects.filter(({ effect }) => effect === kind).length
  const hidden = result.changes.length + result.evicted.length - effects.length
  return {
    effects,
    counts: {
      earlier: count('earlier'),
      later: count('later'),
      same: result.unchanged,
      evicted: count('evicted'),
      never: count('never'),
    },
    notes: hidden > 0 ? [`${hidden} workloads of others are affected too.`] : [],
  }
}

function effectOfChange(context: CallContext, change: StartChange): Effect[] {
  const workload = context.ledger.state.workloads.get(change.workload)
  const isNew = change.workload === HYPOTHETICAL
  if (!isNew && !(workload && isVisible(context, workload))) return []
  const name = workload?.spec.name ?? 'the new workload'
  const base = { workload: change.workload, name, before: fateOf(change.before), after: fateOf(change.after) }
  if (isNew) return [{ ...base, effect: 'new' }]
  const before = change.before?.p50
  const after = change.after?.p50
  if (after === undefined) return [{ ...base, effect: 'never' }]
  return [{ ...base, effect: before === undefined || after < before ? 'earlier' : 'later' }]
}

function fateOf(forecast: Forecast | undefined): Fate {
  if (!forecast) return { state: 'absent' }
  const { p50, p90 } = forecast
  if (p50 === undefined) return { state: 'waits' }
  return {
    state: 'starts',
    p50At: Math.round(p50),
    ...(p90 !== undefined ? { p90At: Math.round(p90) } : {}),
  }
}

function evictionOf(workload: Workload): Effect {
  return {
    workload: workload.id,
    name: workload.spec.name,
    effect: 'evicted',
    before: { state: 'running' },
    after: { state: 'evicted' },
  }
}

function isVisible({ caller }: CallContext, workload: Workload): boolean {
  return maySee(caller.user, workload.owner)
}
