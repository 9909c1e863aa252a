import type { LinkDemand } from './traffic.ts'

/**
 * The share of its full rate that each gang gets when links are shared by max-min fairness: nobody can be given more
 * without taking from one that has as little or less (Bertsekas and Gallager, Data Networks, 6.5.2: progressive
 * filling). All shares rise together until a link is full; those that cross it stay, the others go on, up to 1.
 */
export function maxMinShares(
  demands: readonly (readonly LinkDemand[])[],
  capacity: ArrayLike<number>,
): Float64Array {
  const shares = new Float64Array(demands.length).fill(1)
  const users = new Map<number, number[]>()
  const left = new Map<number, number>()
  const load = new Map<number, number>()
  demands.forEach((links, gang) => {
    for (const { link, bytesPerSecond } of links) {
      const here = users.get(link)
      if (here) here.push(gang)
      else users.set(link, [gang])
      left.set(link, capacity[link]!)
      load.set(link, (load.get(link) ?? 0) + bytesPerSecond)
    }
  })
  const isFixed = new Uint8Array(demands.length)
  for (;;) {
    let tightest = -1
    let level = 1
    for (const [link, sum] of load) {
      if (sum <= 0) continue
      const full = left.get(link)! / sum
      if (full < level - 1e-12) {
        level = full
        tightest = link
      }
    }
    if (tightest < 0) return shares
    for (const gang of users.get(tightest)!) {
      if (isFixed[gang]) continue
      isFixed[gang] = 1
      shares[gang] = level
      for (const { link, bytesPerSecond } of demands[gang]!) {
        load.set(link, load.get(link)! - bytesPerSecond)
        left.set(link, left.get(link)! - bytesPerSecond * level)
      }
    }
    // What the subtraction leaves of a link all of whose users are fixed is rounding, not load.
    for (const [link, here] of users) if (here.every((gang) => isFixed[gang])) load.set(link, 0)
  }
}

/** What is carried by each link, in bytes a second, when every gang runs at its share. */
export function linkLoads(
  demands: readonly (readonly LinkDemand[])[],
  shares: ArrayLike<number>,
  linkCount: number,
): Float64Array {
  const loads = new Float64Array(linkCount)
  demands.forEach((links, gang) => {
    for (const { link, bytesPerSecond } of links) loads[link]! += bytesPerSecond * shares[gang]!
  })
  return loads
}
