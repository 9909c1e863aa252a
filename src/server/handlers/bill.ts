import { billCsv, billFor, pricesView } from '../bill.ts'
import { execute } from '../find.ts'
import type { HandlersOf } from './part.ts'

export const billHandlers: HandlersOf<'getBill' | 'exportBill' | 'getPrices' | 'setPrices'> = {
  getBill: (input, context) => billFor(context, input),
  exportBill: (input, context) => billCsv(context, input),
  getPrices: async (_input, context) => pricesView(context),
  setPrices: async ({ currency, since, perGpuHour }, context) => {
    const isFirst = context.ledger.state.prices.lists.length === 0
    const list = { since: since ?? (isFirst ? 0 : context.clock.now()), perGpuHour }
    await execute(context, { kind: 'set-prices', currency, list })
    return pricesView(context)
  },
}
