import type { AttemptId } from '../../base/index.ts'
import { present } from '../../base/index.ts'
import { type Fabric, type LinkDemand, maxMinShares, trafficOf } from '../../fabric/index.ts'
import type { FabricShares } from './pace.ts'
import type { Run } from './run.ts'

/**
 * Keeps the max-min shares of all gangs whose traffic leaves their node. Gangs that share no link with the one that
 * came or went, however far around, are not looked at again.
 */
export class FabricSharing implements FabricShares {
  readonly #fabric: Fabric
  readonly #gangs = new Map<AttemptId, { run: Run; demand: readonly LinkDemand[]; share: number }>()
  readonly #onLink = new Map<number, Set<AttemptId>>()

  constructor(fabric: Fabric) {
    this.#fabric = fabric
  }

  shareOf(run: Run): number {
    return this.#gangs.get(run.attempt)?.share ?? 1
  }

  enter(run: Run): Iterable<Run> {
    const { traffic } = run.behaviour
    const nodes = run.order.allocation.parts.map(({ node }) =>
      present(this.#fabric.nodeIndex.get(node), `node ${node} of the fabric`),
    )
    if (!traffic || nodes.length < 2) return []
    // A node's own link carries one gang of whole nodes and is never narrower than it; only domains' links are shared.
    const demand = trafficOf(this.#fabric, nodes, traffic.pattern).filter(
      ({ link }) => link >= this.#fabric.nodeCount,
    )
    this.#gangs.set(run.attempt, { run, demand, share: 1 })
    for (const { link } of demand) {
      const here = this.#onLink.get(link)
      if (here) here.add(run.attempt)
      else this.#onLink.set(link, new Set([run.attempt]))
    }
    return this.#shareAnew(demand)
  }

  leave(run: Run): Iterable<Run> {
    const gang = this.#gangs.get(run.attempt)
    if (!gang) return []
    this.#gangs.delete(run.attempt)
    for (const { link } of gang.demand) this.#onLink.get(link)?.delete(run.attempt)
    return this.#shareAnew(gang.demand)
  }

  #shareAnew(around: readonly LinkDemand[]): Run[] {
    const touched = new Set<AttemptId>()
    const links = around.map(({ link }) => link)
    const seen = new Set(links)
    for (let link = links.pop(); link !== undefined; link = links.pop()) {
      for (const attempt of this.#onLink.get(link) ?? []) {
        if (touched.has(attempt)) continue
        touched.add(attempt)
        for (const { link: next } of this.#gangs.get(attempt)!.demand) {
          if (seen.has(next)) continue
          seen.add(next)
          links.push(next)
        }
      }
    }
    const gangs = [...touched].map((attempt) => this.#gangs.get(attempt)!)
    const shares = maxMinShares(
      gangs.map(({ demand }) => demand),
      this.#fabric.capacity,
    )
    gangs.forEach((gang, i) => {
      gang.share = shares[i]!
    })
    return gangs.map(({ run }) => run)
  }
}
