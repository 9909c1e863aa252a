import type { ContractOf, HandlerInput, PolicyApplied } from '../api/index.ts'
import type { QueueId } from '../base/index.ts'
import { canonicalJson, id } from '../base/index.ts'
import { type ControlState, checkQueues } from '../control/index.ts'
import type { Queue } from '../model/index.ts'
import { sha256 } from './caller.ts'
import type { CallContext } from './context.ts'
import { execute } from './find.ts'
import { ProblemError, problemOfRejection } from './problem-error.ts'
import { merge } from './settings.ts'
import { queueViews } from './views.ts'
import { previewRules } from './what-if.ts'

/** Policy and queues as one change: previewed where that was asked for, else made whole or not at all. */
export async function applyPolicy(
  context: CallContext,
  input: HandlerInput<ContractOf<'applyPolicy'>>,
): Promise<PolicyApplied> {
  const { state } = context.ledger
  const version = versionOf(state)
  if (input.version !== undefined && input.version !== version) {
    throw new ProblemError(
      'stale',
      'Policy or queues are not what they were at the preview. Nothing was changed.',
      {
        hint: 'Look at the preview again.',
      },
    )
  }
  const before = Object.keys(input.queues).map((name) => knownQueue(state, name))
  const queues = before.map((queue) => merge(queue, input.queues[queue.id] ?? {}))
  const policy = input.policy && merge(state.policy, input.policy)
  if (input.dryRun) {
    const refusal = checkQueues(state, queues)
    if (refusal) throw problemOfRejection(refusal)
    return { ...asTheyAre(state, queues), impact: previewRules(context, policy, queues) }
  }
  await execute(context, {
    kind: 'apply-policy',
    queues,
    ...(policy && { policy }),
    replaces: { queues: before, ...(policy && { policy: state.policy }) },
  })
  return asTheyAre(context.ledger.state, queues)
}

function asTheyAre(state: ControlState, queues: readonly Queue[]): PolicyApplied {
  const named = new Set(queues.map((queue) => queue.id))
  const views = queueViews(state).filter((queue) => named.has(id<QueueId>(queue.id)))
  return { version: versionOf(state), policy: state.policy, queues: views }
}

/** Of policy and queues: the same text as long as nobody changes one of them. */
function versionOf({ policy, queues }: ControlState): string {
  return sha256(canonicalJson({ policy, queues })).slice(0, 32)
}

function knownQueue(state: ControlState, name: string): Queue {
  const queue = state.queues.get(id<QueueId>(name))
  if (queue) return queue
  throw new ProblemError('not-found', `There is no queue "${name}".`, { hint: 'banyan queues lists them.' })
}
