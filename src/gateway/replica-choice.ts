import type { Replica } from './contract.ts'

/** A replica that did not answer is passed over for so long, unless there is no other. */
const AVOIDED_MS = 2_000

/** Counts the requests that each replica has, and chooses the one that has fewest. */
export class ReplicaChoice {
  readonly #outstanding = new Map<string, number>()
  readonly #avoidedUntil = new Map<string, number>()
  #turn = 0

  /** Requests that were begun and not ended, by replica; those that have none are left out. */
  get outstanding(): ReadonlyMap<string, number> {
    return this.#outstanding
  }

  /**
   * The replica with the fewest outstanding requests, below `most`; equals take turns. Undefined when all have
   * `most` or were `tried`.
   */
  choose(
    replicas: readonly Replica[],
    {
      most,
      tried,
      now,
    }: { readonly most: number; readonly tried: ReadonlySet<string>; readonly now: number },
  ): Replica | undefined {
    this.#turn = (this.#turn + 1) % Number.MAX_SAFE_INTEGER
    let best: Replica | undefined
    let bestRank = Number.POSITIVE_INFINITY
    for (let i = 0; i < replicas.length; i++) {
      const replica = replicas[(this.#turn + i) % replicas.length]!
      const count = this.#outstanding.get(replica.id) ?? 0
      if (count >= most || tried.has(replica.id)) continue
      const rank = this.#isAvoided(replica.id, now) ? count + most : count
      if (rank >= bestRank) continue
      best = replica
      bestRank = rank
    }
    return best
  }

  begin(replica: Replica): void {
    this.#outstanding.set(replica.id, (this.#outstanding.get(replica.id) ?? 0) + 1)
  }

  end(replica: Replica): void {
    const left = (this.#outstanding.get(replica.id) ?? 0) - 1
    if (left > 0) this.#outstanding.set(replica.id, left)
    else this.#outstanding.delete(replica.id)
  }

  avoid(replica: Replica, now: number): void {
    this.#avoidedUntil.set(replica.id, now + AVOIDED_MS)
  }

  #isAvoided(id: string, now: number): boolean {
    const until = this.#avoidedUntil.get(id)
    if (until === undefined) return false
    if (until > now) return true
    this.#avoidedUntil.delete(id)
    return false
  }
}
