import type { RankTimesView } from '../../api/index.ts'
import type { AttemptId, NodeId } from '../../base/index.ts'
import { id } from '../../base/index.ts'
import type { Attempt, Workload } from '../../model/index.ts'
import { stragglersOf } from '../../model/index.ts'
import type { CallContext } from '../context.ts'
import { findWorkload } from '../find.ts'
import type { HandlersOf } from './part.ts'

export const rankHandlers: HandlersOf<'listRanks'> = {
  listRanks: async (input, context) => rankTimesView(context, await findWorkload(context, input.id)),
}

async function rankTimesView(context: CallContext, workload: Workload): Promise<RankTimesView> {
  const attemptId = id<AttemptId>(`${workload.id}.${workload.attemptCount}`)
  const times = context.rankTimes.of(attemptId)
  if (!times) return { items: [] }
  const attempt = context.ledger.state.attempts.get(attemptId) ?? (await ended(context, workload, attemptId))
  if (!attempt) return { items: [] }
  const { computeMs, at, step, reports, stepMs } = times
  const { medianMs, ranks } = stragglersOf(times)
  const stragglers = new Set(ranks)
  const nodes = nodesByRank(attempt, workload)
  return {
    report: {
      attempt: attemptId,
      at,
      step,
      reports,
      ...(stepMs !== undefined ? { stepMs } : {}),
      medianMs,
    },
    items: computeMs.flatMap((ms, rank) => {
      const node = nodes[rank]
      return node === undefined ? [] : { rank, node, computeMs: ms, isStraggler: stragglers.has(rank) }
    }),
  }
}

async function ended({ store }: CallContext, workload: Workload, attempt: AttemptId) {
  return (await store.attempts(workload.id)).find(({ id }) => id === attempt)
}

/** Ranks are counted over the parts of the allocation in order: one for each node, or one for each GPU. */
function nodesByRank({ allocation }: Attempt, { spec }: Workload): NodeId[] {
  const isPerGpu = spec.program.tasksPer === 'gpu'
  return allocation.parts.flatMap(({ node, gpus }) => Array<NodeId>(isPerGpu ? gpus.length : 1).fill(node))
}
