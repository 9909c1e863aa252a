import { isFinal, type Workload } from '../../model/index.ts'

/** About 3 kB each. */
const MOST_KEPT = 2_000

/** Finished workloads that were read, for those change no more. Whichever was not asked for the longest goes first. */
export class FinishedWorkloads {
  readonly #kept = new Map<string, Workload>()

  /** The workload of this id that became final then. */
  get(id: string, finalAt: number): Workload | undefined {
    const workload = this.#kept.get(id)
    if (workload?.stateSince !== finalAt) return undefined
    this.#kept.delete(id)
    this.#kept.set(id, workload)
    return workload
  }

  add(workload: Workload): void {
    if (!isFinal(workload.state)) return
    this.#kept.set(workload.id, workload)
    if (this.#kept.size <= MOST_KEPT) return
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest)
      return
    }
  }
}
