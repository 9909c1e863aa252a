import type { TimeMs } from '../base/index.ts'

/** What a GPU-hour costs from a time on, by GPU model; a model that is not named has no price. */
export interface PriceList {
  readonly since: TimeMs
  readonly perGpuHour: Readonly<Record<string, number>>
}

/** The price lists of the cluster, oldest first; each holds until the next begins. */
export interface Prices {
  /** ISO 4217, such as `EUR`; empty while there are no prices. */
  readonly currency: string
  readonly lists: readonly PriceList[]
}

export const NO_PRICES: Prices = { currency: '', lists: [] }

/** The prices with another list; those from its beginning on are replaced by it. */
export function withPriceList(prices: Prices, currency: string, list: PriceList): Prices {
  return { currency, lists: [...prices.lists.filter(({ since }) => since < list.since), list] }
}
