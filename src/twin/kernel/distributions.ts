import type { RandomStream } from '../../base/index.ts'

/** A draw of the standard normal distribution (Box and Muller 1958, the cosine branch). */
export function normal(random: RandomStream): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
}

/** A draw of the log-normal distribution with this median and this standard deviation of the logarithm. */
export function logNormal(random: RandomStream, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(random))
}

/** A draw of the Weibull distribution; shape 1 is exponential, below 1 the rate falls with age. */
export function weibull(random: RandomStream, scale: number, shape: number): number {
  return scale * (-Math.log(1 - random.next())) ** (1 / shape)
}

/** One of the items, each as likely as its weight says. */
export function weighted<Item>(
  random: RandomStream,
  items: readonly Item[],
  weight: (item: Item) => number,
): Item {
  let left = random.next() * items.reduce((sum, item) => sum + weight(item), 0)
  for (const item of items) {
    left -= weight(item)
    if (left < 0) return item
  }
  return items[items.length - 1]!
}
