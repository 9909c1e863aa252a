import type { QueueView } from '../../api/index.ts'
import type { QueueId } from '../../base/index.ts'
import { id, present } from '../../base/index.ts'
import type { Policy, Queue } from '../../model/index.ts'
import { maySee } from '../caller.ts'
import type { CallContext } from '../context.ts'
import { execute } from '../find.ts'
import { forecastScore } from '../forecast-score.ts'
import { ProblemError } from '../problem-error.ts'
import { organisationOfQueue, queueViews } from '../views.ts'
import { whatIf } from '../what-if.ts'
import type { HandlersOf } from './part.ts'

export const schedulingHandlers: HandlersOf<
  'listQueues' | 'setQueue' | 'getPolicy' | 'setPolicy' | 'previewPolicy' | 'scoreForecasts' | 'askWhatIf'
> = {
  listQueues: async (_input, context) => ({ items: visibleQueues(context) }),
  setQueue: async (input, context) => {
    const { id: name, ...settings } = input
    const before = context.ledger.state.queues.get(id<QueueId>(name))
    if (!before) {
      throw new ProblemError('not-found', `There is no queue "${name}".`, {
        hint: 'banyan queues lists them.',
      })
    }
    await execute(context, { kind: 'set-queue', queue: changed(before, settings) })
    return present(
      visibleQueues(context).find((queue) => queue.id === name),
      `queue ${name}`,
    )
  },
  getPolicy: async (_input, { ledger }) => ledger.state.policy,
  setPolicy: async (input, context) => {
    const policy: Policy = changed(context.ledger.state.policy, input)
    await execute(context, { kind: 'set-policy', policy })
    return context.ledger.state.policy
  },
  previewPolicy: (input, context) => whatIf(context, [{ kind: 'set-policy', settings: input }]),
  scoreForecasts: (_input, context) => forecastScore(context),
  askWhatIf: (input, context) => whatIf(context, input.edits),
}

function visibleQueues({ ledger, caller }: CallContext): QueueView[] {
  return queueViews(ledger.state).filter((queue) =>
    maySee(caller.user, { organisation: organisationOfQueue(queue.id) as never }),
  )
}

/** The value with the given members replaced; `null` takes a member away, `undefined` leaves it. */
function changed<Value extends Queue | Policy>(before: Value, settings: object): Value {
  const merged: Record<string, unknown> = { ...before }
  for (const [key, value] of Object.entries(settings)) {
    if (value === null) delete merged[key]
    else if (value !== undefined) merged[key] = value
  }
  return merged as unknown as Value
}
