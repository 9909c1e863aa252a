import type { WorkloadId } from '../base/index.ts'
import { id } from '../base/index.ts'
import type { Command, LoggedEvent } from '../control/index.ts'
import type { Workload } from '../model/index.ts'
import { mayChange, maySee } from '../model/index.ts'
import { actorOf } from './caller.ts'
import type { CallContext } from './context.ts'
import { ProblemError, problemOfRejection } from './problem-error.ts'

/**
 * The workload of this id, or the newest of this name that the caller may see. Another tenant's is "not found", as
 * is one that does not exist, so that nobody learns which it was (S9).
 */
export async function findWorkload(context: CallContext, reference: string): Promise<Workload> {
  const { ledger, store, caller } = context
  const direct =
    ledger.state.workloads.get(id<WorkloadId>(reference)) ?? (await store.workload(id<WorkloadId>(reference)))
  if (direct && maySee(caller.user, direct.owner)) return direct
  const named = newestLiveOfName(context, reference) ?? (await newestFinalOfName(context, reference))
  if (named) return named
  throw new ProblemError('not-found', `There is no workload "${reference}".`, {
    hint: 'banyan ps --all lists yours.',
  })
}

/** The same, where the caller may change it. */
export async function findChangeable(context: CallContext, reference: string): Promise<Workload> {
  const workload = await findWorkload(context, reference)
  if (mayChange(context.caller.user, workload.owner)) return workload
  throw new ProblemError(
    'forbidden',
    `${workload.id} belongs to ${workload.owner.user} of ${workload.owner.team}; you may see it but not change it.`,
    { hint: `Ask ${workload.owner.user}, or an admin of ${workload.owner.organisation}.` },
  )
}

function newestLiveOfName({ ledger, caller }: CallContext, name: string): Workload | undefined {
  let newest: Workload | undefined
  for (const workload of ledger.state.workloads.values()) {
    if (workload.spec.name === name && maySee(caller.user, workload.owner)) newest = workload
  }
  return newest
}

async function newestFinalOfName(
  { store, caller }: CallContext,
  name: string,
): Promise<Workload | undefined> {
  const organisation = caller.user.role === 'operator' ? {} : { organisation: caller.user.organisation }
  const page = await store.workloads({ name, limit: 1, ...organisation })
  return page.items[0]
}

/** Runs a command as the caller; its durable events, or its rejection as a problem. */
export async function execute(context: CallContext, command: Command): Promise<readonly LoggedEvent[]> {
  const outcome = await context.ledger.execute(command, actorOf(context.caller))
  if (!outcome.ok) throw problemOfRejection(outcome.rejection)
  return outcome.events
}
