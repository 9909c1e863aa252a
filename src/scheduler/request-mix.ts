import type { ResourceRequest } from '../model/index.ts'
import { WHOLE_GPU } from './footprint.ts'

/** One kind of request that fits on a node, with how often it is asked for. Sums are whole numbers, so that they are exact. */
interface Kind {
  readonly gpus: number
  readonly milli: number
  count: number
  cpuMilli: number
  memoryMib: number
}

/** A typical kind with its share of the requests and what one of it needs beside GPUs, on average. */
interface Typical {
  readonly gpus: number
  readonly milli: number
  readonly weight: number
  readonly cpuMilli: number
  readonly memoryMib: number
}

/** The kinds that were asked for by what is neither in the line nor live any more. */
export interface MixRow {
  readonly kind: 'mix'
  readonly kinds: readonly Readonly<Kind>[]
}

/** Kinds that count; the rare rest changes no decision. */
const TYPICAL = 30
/** Weights are rounded to this part, and needs to a sixteenth of themselves: the list changes only when it matters. */
const GRAIN = 1 / 64

/**
 * What is usually asked for on one node: the requests that are queued or live, and those that were. It says how much
 * of a node's free GPUs is stranded: free, but of no use to the requests that come.
 */
export class RequestMix {
  private readonly present = new Map<number, Kind>()
  private readonly past = new Map<number, Kind>()
  /** Grows when the typical kinds change. */
  version = 0
  private typical: readonly Typical[] = []
  private isStale = false
  private isPastChanged = false

  /** A gang has come into the line, or was live when the machine was loaded. */
  enter(request: ResourceRequest): void {
    this.count(this.present, request, 1)
  }

  /** It is neither in the line nor live any more. */
  leave(request: ResourceRequest): void {
    this.count(this.present, request, -1)
    this.count(this.past, request, 1)
    this.isPastChanged = true
  }

  /** It comes into the line again at once, changed. */
  forget(request: ResourceRequest): void {
    this.count(this.present, request, -1)
  }

  /** Renews the list of typical kinds; called before placements that use it. */
  refresh(): void {
    if (!this.isStale) return
    this.isStale = false
    const kinds = new Map<number, Kind>()
    for (const source of [this.present, this.past]) {
      for (const [name, { gpus, milli, count, cpuMilli, memoryMib }] of source) {
        const kind = kinds.get(name) ?? { gpus, milli, count: 0, cpuMilli: 0, memoryMib: 0 }
        kind.count += count
        kind.cpuMilli += cpuMilli
        kind.memoryMib += memoryMib
        kinds.set(name, kind)
      }
    }
    const all = [...kinds.values()].filter(({ count }) => count > 0)
    all.sort((a, b) => b.count - a.count || a.gpus - b.gpus || a.milli - b.milli)
    const first = all.slice(0, TYPICAL)
    const total = first.reduce((sum, { count }) => sum + count, 0)
    const typical = first
      .map(({ gpus, milli, count, cpuMilli, memoryMib }) => ({
        gpus,
        milli,
        weight: Math.round(count / total / GRAIN) * GRAIN,
        cpuMilli: coarse(cpuMilli / count),
        memoryMib: coarse(memoryMib / count),
      }))
      .filter(({ weight }) => weight > 0)
    if (isSame(typical, this.typical)) return
    this.typical = typical
    this.version++
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
    for (const { milli, gpus, weight, cpuMilli, memoryMib } of this.typical) {
      let fitting = Math.min(cpuFree / cpuMilli, memoryFree / memoryMib)
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
      stranded += weight * (free - (usableByOne + usableByMany) / 2)
    }
    return stranded
  }

  /** What is remembered. */
  rows(): Map<string, MixRow> {
    if (this.past.size === 0) return new Map()
    const kinds = [...this.past.values()].map((kind) => ({ ...kind }))
    kinds.sort((a, b) => a.gpus - b.gpus || a.milli - b.milli)
    return new Map([['mix', { kind: 'mix', kinds }]])
  }

  /** Its row, if it has changed since changes were last taken. */
  takeChanges(): Map<string, MixRow> {
    const rows = this.isPastChanged ? this.rows() : new Map<string, MixRow>()
    this.isPastChanged = false
    return rows
  }

  load({ kinds }: MixRow): void {
    this.past.clear()
    for (const kind of kinds) this.past.set(nameOf(kind.gpus, kind.milli), { ...kind })
    this.isStale = true
  }

  clone(): RequestMix {
    const copy = new RequestMix()
    for (const [name, kind] of this.present) copy.present.set(name, { ...kind })
    for (const [name, kind] of this.past) copy.past.set(name, { ...kind })
    copy.isStale = true
    return copy
  }

  private count(kinds: Map<number, Kind>, request: ResourceRequest, by: 1 | -1): void {
    const { shape, cpuMilli = 0, memoryMib = 0 } = request
    if (shape.kind === 'nodes' || (shape.kind === 'gpus' && shape.gpus === 0)) return
    const gpus = shape.kind === 'gpus' ? shape.gpus : 1
    const milli = shape.kind === 'gpus' ? WHOLE_GPU : shape.milliGpus
    const name = nameOf(gpus, milli)
    let kind = kinds.get(name)
    if (!kind) {
      kind = { gpus, milli, count: 0, cpuMilli: 0, memoryMib: 0 }
      kinds.set(name, kind)
    }
    kind.count += by
    kind.cpuMilli += by * cpuMilli
    kind.memoryMib += by * memoryMib
    this.isStale = true
  }
}

/** One number for each kind: shares have at most `WHOLE_GPU` thousandths. */
function nameOf(gpus: number, milli: number): number {
  return gpus * (WHOLE_GPU + 1) + milli
}

/** Rounded to a sixteenth of the power of two below it. */
function coarse(value: number): number {
  if (value <= 0) return 0
  const grain = 2 ** Math.floor(Math.log2(value)) / 16
  return Math.round(value / grain) * grain
}

function isSame(a: readonly Typical[], b: readonly Typical[]): boolean {
  return a.length === b.length && a.every((one, i) => isEqual(one, b[i]!))
}

function isEqual(a: Typical, b: Typical): boolean {
  return (
    a.gpus === b.gpus &&
    a.milli === b.milli &&
    a.weight === b.weight &&
    a.cpuMilli === b.cpuMilli &&
    a.memoryMib === b.memoryMib
  )
}
