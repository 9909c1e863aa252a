import type { AttemptView, WorkloadView } from '../../api/index.ts'
import { present } from '../../base/index.ts'
import type { Attempt, Workload } from '../../model/index.ts'
import { isFinal, maySee } from '../../model/index.ts'
import type { CallContext } from '../context.ts'
import { explainWorkload, withForecast } from '../explaining.ts'
import { execute, findChangeable, findWorkload } from '../find.ts'
import { ProblemError } from '../problem-error.ts'
import { resubmit, submit } from '../submitting.ts'
import { workloadView } from '../views.ts'
import type { HandlersOf } from './part.ts'

export const workloadHandlers: HandlersOf<
  | 'submitWorkload'
  | 'listWorkloads'
  | 'getWorkload'
  | 'stopWorkload'
  | 'resubmitWorkload'
  | 'scaleWorkload'
  | 'explainWorkload'
  | 'listAttempts'
> = {
  submitWorkload: (input, context) => submit(context, input),
  listWorkloads: async (input, context) => {
    const { store, ledger, caller } = context
    const { organisation, state, ...filters } = input
    if (organisation !== undefined && !maySee(caller.user, { organisation: organisation as never })) {
      throw new ProblemError('not-found', `There is no organisation "${organisation}".`)
    }
    const seen = caller.user.role === 'operator' ? organisation : caller.user.organisation
    const page = await store.workloads({
      ...defined(filters),
      limit: input.limit,
      ...(seen !== undefined ? { organisation: seen } : {}),
      ...(state ? { states: state } : {}),
    })
    return {
      items: page.items.map((workload) => withForecast(context, view(ledger.state, workload))),
      ...(page.next !== undefined ? { next: page.next } : {}),
    }
  },
  getWorkload: async (input, context) => show(context, await findWorkload(context, input.id)),
  stopWorkload: async (input, context) => {
    const workload = await findChangeable(context, input.id)
    if (isFinal(workload.state)) {
      throw new ProblemError('wrong-state', `${workload.id} has ${workload.state} already.`)
    }
    await execute(context, { kind: 'stop', workload: workload.id, kill: input.kill })
    return show(context, await findWorkload(context, workload.id))
  },
  resubmitWorkload: async (input, context) => {
    await context.ledger.settled()
    return resubmit(context, await findChangeable(context, input.id))
  },
  scaleWorkload: async (input, context) => {
    const workload = await findChangeable(context, input.id)
    await execute(context, { kind: 'scale', workload: workload.id, replicas: input.replicas })
    return show(context, await findWorkload(context, workload.id))
  },
  explainWorkload: async (input, context) => explainWorkload(context, await findWorkload(context, input.id)),
  listAttempts: async (input, context) => {
    const workload = await findWorkload(context, input.id)
    const attempts = await context.store.attempts(workload.id)
    return { items: attempts.map((attempt) => attemptView(context, attempt)) }
  },
}

function show(context: CallContext, workload: Workload): WorkloadView {
  return withForecast(context, view(context.ledger.state, workload))
}

/** The live form where there is one: the store may be a batch behind what this call has waited for. */
function view(state: CallContext['ledger']['state'], workload: Workload): WorkloadView {
  return workloadView(state, state.workloads.get(workload.id) ?? workload)
}

/** Whose capacity an eviction was for is told only where the reader may see that workload (S9). */
function attemptView({ ledger, caller }: CallContext, attempt: Attempt): AttemptView {
  if (attempt.stop?.for === undefined) return attempt
  const beneficiary = ledger.state.workloads.get(attempt.stop.for)
  if (beneficiary && maySee(caller.user, beneficiary.owner)) return attempt
  const { for: _hidden, ...stop } = present(attempt.stop, 'stop')
  return { ...attempt, stop }
}

function defined<Value extends object>(
  value: Value,
): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never
}
