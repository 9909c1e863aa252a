import type { QueueView } from '../../api/index.ts'
import type { QueueId } from '../../base/index.ts'
import { id, present } from '../../base/index.ts'
import type { Policy } from '../../model/index.ts'
import { maySee } from '../../model/index.ts'
import type { CallContext } from '../context.ts'
import { execute } from '../find.ts'
import { forecastScore } from '../forecast-score.ts'
import { applyPolicy } from '../policy-apply.ts'
import { ProblemError } from '../problem-error.ts'
import { merge } from '../settings.ts'
import { shareHistory } from '../share-history.ts'
import { organisationOfQueue, queueViews } from '../views.ts'
import { waitingLine } from '../waiting-line.ts'
import { askWhatIf, previewPolicy } from '../what-if.ts'
import type { HandlersOf } from './part.ts'

export const schedulingHandlers: HandlersOf<
  | 'listQueues'
  | 'getShareHistory'
  | 'listWaiting'
  | 'setQueue'
  | 'getPolicy'
  | 'setPolicy'
  | 'applyPolicy'
  | 'previewPolicy'
  | 'scoreForecasts'
  | 'askWhatIf'
> = {
  listQueues: async (_input, context) => ({ items: visibleQueues(context) }),
  getShareHistory: (input, context) => shareHistory(context, input),
  listWaiting: async (_input, context) => ({ items: waitingLine(context) }),
  setQueue: async (input, context) => {
    const { id: name, ...settings } = input
    const before = context.ledger.state.queues.get(id<QueueId>(name))
    if (!before) {
      throw new ProblemError('not-found', `There is no queue "${name}".`, {
        hint: 'banyan queues lists them.',
      })
    }
    await execute(context, { kind: 'set-queue', queue: merge(before, settings) })
    return present(
      visibleQueues(context).find((queue) => queue.id === name),
      `queue ${name}`,
    )
  },
  getPolicy: async (_input, { ledger }) => ledger.state.policy,
  setPolicy: async (input, context) => {
    const policy: Policy = merge(context.ledger.state.policy, input)
    await execute(context, { kind: 'set-policy', policy })
    return context.ledger.state.policy
  },
  applyPolicy: (input, context) => applyPolicy(context, input),
  previewPolicy: async (input, context) => previewPolicy(context, merge(context.ledger.state.policy, input)),
  scoreForecasts: (_input, context) => forecastScore(context),
  askWhatIf: (input, context) => askWhatIf(context, input.edits),
}

function visibleQueues({ ledger, caller }: CallContext): QueueView[] {
  return queueViews(ledger.state).filter((queue) =>
    maySee(caller.user, { organisation: organisationOfQueue(queue.id) as never }),
  )
}
