import type { Footprint } from './footprint.ts'
import type { Promises } from './promises.ts'
import type { RequestClass } from './request-class.ts'

/** What was found out about one class at one bound of its domain. */
interface Known {
  /** How many promises there were; what is known of giving up some of them holds for these. */
  promises: number
  /** The most promises that were given up in vain, or -1. */
  failed: number
  /** Whether there was a place with all of them given up when it was last looked for. */
  fittedOnAll: boolean
  /** How many starts there had been when the footprints were found: the next one may take their place. */
  starts: number
  /** By the number of promises given up; mostly that is none. */
  footprints: (Footprint | undefined)[]
}

/**
 * What one pass has found out about where requests fit, so that nothing is searched for twice: within a pass nothing
 * falls free, so what did not fit does not fit later, nor with fewer promises given up.
 */
export class PlaceMemory {
  private readonly promises: Promises
  private readonly known: (Known | undefined)[] = []

  constructor(promises: Promises) {
    this.promises = promises
  }

  /** As `Promises.placeWithout`; `starts` counts the starts of the pass so far. */
  find(count: number, request: RequestClass, minDepth: number, starts: number): Footprint | undefined {
    const known = this.of(request, minDepth)
    if (count <= known.failed && (request.isExact || count === known.failed)) return undefined
    if (known.starts !== starts) {
      known.starts = starts
      known.footprints = [undefined]
    }
    const before = known.footprints[count]
    if (before) return before
    const footprint = this.promises.placeWithout(count, request, minDepth)
    if (footprint) known.footprints[count] = footprint
    else known.failed = Math.max(known.failed, count)
    return footprint
  }

  /** Whether it does not even fit on all that is kept; where it did before, `stillFits` says that it need not be tried again. */
  isHopeless(request: RequestClass, minDepth: number, starts: number, stillFits: boolean): boolean {
    const known = this.of(request, minDepth)
    const { promises } = known
    if (promises === 0 || known.failed >= promises) return true
    const fits =
      (stillFits && known.fittedOnAll) ||
      (known.starts === starts && known.footprints[promises] !== undefined) ||
      this.promises.fitsWithout(promises, request, minDepth)
    if (!fits) known.failed = promises
    known.fittedOnAll = fits
    return !fits
  }

  /** The most promises that were given up for the class in vain, or -1. */
  failedUpTo(request: RequestClass, minDepth: number): number {
    return this.of(request, minDepth).failed
  }

  /** Something has fallen free. */
  clear(): void {
    this.known.length = 0
  }

  private of(request: RequestClass, minDepth: number): Known {
    const promises = this.promises.list.length
    // A class is bound by its own level or not at all.
    const at = request.index * 2 + (minDepth === 0 ? 0 : 1)
    let known = this.known[at]
    if (!known) {
      known = { promises, failed: -1, fittedOnAll: false, starts: -1, footprints: [undefined] }
      this.known[at] = known
    }
    if (known.promises !== promises) {
      known.promises = promises
      known.failed = Math.min(known.failed, 0)
      known.fittedOnAll = false
      known.footprints = [undefined]
    }
    return known
  }
}
