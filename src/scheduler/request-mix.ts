import type { ResourceRequest } from '../model/index.ts'
import { WHOLE_GPU } from './footprint.ts'

/** One kind of request that fits on a node, with how often it is asked for. */
interface Kind {
  readonly gpus: number
  readonly milli: number
  /** Means over what was asked. */
  cpuMilli: number
  memoryMib: number
  count: number
}

/** Kinds that count; the rare rest changes no decision. */
const TYPICAL = 30
/** The list of typical kinds is made again after so many requests, and at powers of two before. */
const RENEWED_EVERY = 512

/**
 * What is usually asked for on one node, learned from the requests seen so far. It says how much of a node's free
 * GPUs is stranded: free, but of no use to the requests that come.
 */
export class RequestMix {
  private readonly kinds = new Map<string, Kind>()
  private seen = 0
  /** Grows when the typical kinds change. */
  version = 0
  private typical: readonly Kind[] = []
  private weights: Float64Array = new Float64Array(0)

  observe({ shape, cpuMilli = 0, memoryMib = 0 }: ResourceRequest): void {
    if (shape.kind === 'nodes' || (shape.kind === 'gpus' && shape.gpus === 0)) return
    const gpus = shape.kind === 'gpus' ? shape.gpus : 1
    const milli = shape.kind === 'gpus' ? WHOLE_GPU : shape.milliGpus
    const name = `${gpus} ${milli}`
    let kind = this.kinds.get(name)
    if (!kind) {
      kind = { gpus, milli, cpuMilli: 0, memoryMib: 0, count: 0 }
      this.kinds.set(name, kind)
    }
    kind.count++
    kind.cpuMilli += (cpuMilli - kind.cpuMilli) / kind.count
    kind.memoryMib += (memoryMib - kind.memoryMib) / kind.count
    this.seen++
    if ((this.seen & (this.seen - 1)) === 0 || this.seen % RENEWED_EVERY === 0) this.renew()
  }

  /**
   * Expected thousandths of the free GPUs that a typical request cannot use: the mean of what one more request
   * cannot (the measure of Weng et al., "Beware of Fragmentation", USENIX ATC 2023) and of what is left when the node is filled with
   * requests of its kind, which also sees GPUs that will lack CPU or memory. `gpuFree` is read from `start` to `end`.
   */
  stranded(gpuFree: Uint16Array, start: number, end: number, cpuFree: number, memoryFree: number): number {
    let free = 0
    let whole = 0
    for (let g = start; g < end; g++) {
      free += gpuFree[g]!
      if (gpuFree[g] === WHOLE_GPU) whole++
    }
    if (free === 0) return 0
    let stranded = 0
    for (let k = 0; k < this.typical.length; k++) {
      const kind = this.typical[k]!
      const { milli, gpus } = kind
      let fitting = Math.min(cpuFree / kind.cpuMilli, memoryFree / kind.memoryMib)
      fitting = fitting < 1e6 ? Math.floor(fitting) : 1e6
      let usableByOne = 0
      let usableByMany = 0
      if (fitting > 0) {
        if (milli === WHOLE_GPU) {
          const units = Math.floor(whole / gpus)
          usableByOne = units > 0 ? whole * WHOLE_GPU : 0
          usableByMany = Math.min(units, fitting) * gpus * WHOLE_GPU
        } else {
          let units = 0
          for (let g = start; g < end; g++) {
            const here = gpuFree[g]!
            if (here < milli) continue
            usableByOne += here
            units += Math.floor(here / milli)
          }
          usableByMany = Math.min(units, fitting) * milli
        }
      }
      stranded += this.weights[k]! * (free - (usableByOne + usableByMany) / 2)
    }
    return stranded
  }

  clone(): RequestMix {
    const copy = new RequestMix()
    for (const [name, kind] of this.kinds) copy.kinds.set(name, { ...kind })
    copy.seen = this.seen
    copy.renew()
    return copy
  }

  private renew(): void {
    const all = [...this.kinds.values()]
    all.sort((a, b) => b.count - a.count || a.gpus - b.gpus || a.milli - b.milli)
    this.typical = all.slice(0, TYPICAL)
    const total = this.typical.reduce((sum, kind) => sum + kind.count, 0)
    this.weights = Float64Array.from(this.typical, (kind) => kind.count / total)
    this.version++
  }
}
