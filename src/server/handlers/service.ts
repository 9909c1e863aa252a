import { DAY_MS } from '../../base/index.ts'
import { usageSummary } from '../usage-summary.ts'
import { endpointViews } from '../views.ts'
import type { HandlersOf } from './part.ts'

const DEFAULT_WINDOW_MS = 30 * DAY_MS

export const serviceHandlers: HandlersOf<'listEndpoints' | 'getUsage'> = {
  listEndpoints: async (_input, { ledger, caller, outstanding, traffic }) => {
    const recent = await traffic.recent(performance.now())
    return { items: endpointViews(ledger.state, caller.user, outstanding(), recent) }
  },
  getUsage: async (input, context) => {
    const to = input.to ?? context.clock.now()
    return usageSummary(context, { from: input.from ?? to - DEFAULT_WINDOW_MS, to, by: input.by })
  },
}
