import type { NodeId, TimeMs } from '../../base/index.ts'
import type { Allocation, NodeDescription, ResourceShape, WorkloadSpec } from '../../model/index.ts'
import type { LiveJob, OpenJob } from './job-log.ts'
import { type Series, StepSeries, type StepSeriesRecord } from './step-series.ts'

/** GPUs by what they were for, over time and as integrals in GPU-milliseconds. */
export interface FleetUse {
  /** Rows: held, down, queued for, free while gangs wait, free outside wholly free nodes; then queued gangs. */
  readonly series: Series
  readonly downGpuMs: number
  /** Free although as many or more were waited for. */
  readonly freeWhileWaitedForGpuMs: number
  readonly heldGpuMs: number
}

const USE_ROWS = ['held', 'down', 'queued', 'fragmented', 'scattered', 'gangs'] as const

interface NodeUse {
  readonly gpus: number
  held: number
  isDown: boolean
}

/** The meter in the middle of a run, as plain data. */
export interface FleetUseRecord {
  readonly nodes: readonly (readonly [NodeId, NodeUse])[]
  readonly now: readonly number[]
  readonly integrals: readonly number[]
  readonly counts: { at: TimeMs; wholeFree: number; queuedGpus: number; queuedGangs: number }
  readonly series: StepSeriesRecord
}

/** Follows the events and adds up, at each instant, which GPUs are held, down or free, and what is queued. */
export class FleetUseMeter {
  readonly #nodes = new Map<NodeId, NodeUse>()
  readonly #total: number
  readonly #gpusPerNode: number
  readonly #series: StepSeries
  readonly #now = new Float64Array(USE_ROWS.length)
  #at: TimeMs
  #wholeFree = 0
  #queuedGpus = 0
  #queuedGangs = 0
  readonly #integrals = new Float64Array(USE_ROWS.length)

  constructor(nodes: readonly NodeDescription[], startMs: TimeMs) {
    for (const { id, gpuCount } of nodes) this.#nodes.set(id, { gpus: gpuCount, held: 0, isDown: false })
    this.#total = nodes.reduce((sum, { gpuCount }) => sum + gpuCount, 0)
    this.#wholeFree = this.#total
    this.#gpusPerNode = nodes[0]?.gpuCount ?? 0
    this.#series = new StepSeries(startMs, USE_ROWS.length)
    this.#at = startMs
  }

  /** All was as it is up to this time. Told of every event before the event itself. */
  passTo(at: TimeMs): void {
    if (at === this.#at) return
    const now = this.#now
    const free = Math.max(0, this.#total - now[0]! - now[1]!)
    now[2] = this.#queuedGpus
    now[3] = Math.min(free, this.#queuedGpus)
    now[4] = Math.max(0, free - this.#wholeFree)
    now[5] = this.#queuedGangs
    this.#series.had(now, at)
    const span = at - this.#at
    for (let i = 0; i < now.length; i++) this.#integrals[i]! += now[i]! * span
    this.#at = at
  }

  submitted(open: OpenJob, spec: WorkloadSpec): void {
    open.gpusAsked = this.#gpusAsked(spec.resources.shape)
    this.#queue(open, open.gpusAsked * (spec.type === 'serve' ? spec.replicas : 1))
  }

  planned(open: OpenJob, allocation: Allocation): void {
    this.#queue(open, -open.gpusAsked)
    this.#move(allocation, 1)
  }

  attemptEnded({ open, allocation }: LiveJob, isTriedAgain: boolean): void {
    this.#move(allocation, -1)
    if (isTriedAgain) this.#queue(open, open.gpusAsked)
  }

  finished(open: OpenJob): void {
    this.#queue(open, -open.gpusQueued)
  }

  nodeMoved(node: NodeId, isDown: boolean): void {
    this.#change(node, 0, isDown)
  }

  use(until: TimeMs): FleetUse {
    this.passTo(until)
    const [held = 0, down = 0, , fragmented = 0] = this.#integrals
    return {
      series: this.#series.series(),
      downGpuMs: down,
      freeWhileWaitedForGpuMs: fragmented,
      heldGpuMs: held,
    }
  }

  record(): FleetUseRecord {
    return {
      nodes: [...this.#nodes].map(([id, use]) => [id, { ...use }]),
      now: [...this.#now],
      integrals: [...this.#integrals],
      counts: {
        at: this.#at,
        wholeFree: this.#wholeFree,
        queuedGpus: this.#queuedGpus,
        queuedGangs: this.#queuedGangs,
      },
      series: this.#series.record(),
    }
  }

  load({ nodes, now, integrals, counts, series }: FleetUseRecord): void {
    this.#nodes.clear()
    for (const [id, use] of nodes) this.#nodes.set(id, { ...use })
    this.#now.set(now)
    this.#integrals.set(integrals)
    this.#at = counts.at
    this.#wholeFree = counts.wholeFree
    this.#queuedGpus = counts.queuedGpus
    this.#queuedGangs = counts.queuedGangs
    this.#series.load(series)
  }

  /** GPUs that its attempt holds in all, for whole nodes by the first node's count. */
  #gpusAsked(shape: ResourceShape): number {
    if (shape.kind === 'gpus') return shape.gpus
    if (shape.kind === 'fraction') return shape.milliGpus / 1000
    return shape.nodes * (shape.gpusPerNode ?? this.#gpusPerNode)
  }

  /** So many more GPUs are waited for. */
  #queue(open: OpenJob, gpus: number): void {
    const before = open.gpusQueued
    const after = Math.max(0, before + gpus)
    open.gpusQueued = after
    this.#queuedGpus += after - before
    this.#queuedGangs += Math.sign(after) - Math.sign(before)
  }

  #move(allocation: Allocation, sign: 1 | -1): void {
    for (const { node, gpus, milliGpus = 1000 } of allocation.parts) {
      const moved = (sign * gpus.length * milliGpus) / 1000
      this.#now[0]! += moved
      this.#change(node, moved)
    }
  }

  /** Counts the node out as it stands, changes it, and counts it in again. */
  #change(id: NodeId, heldMore: number, isDown?: boolean): void {
    const node = this.#nodes.get(id)
    if (!node) return
    this.#tally(node, -1)
    node.held += heldMore
    node.isDown = isDown ?? node.isDown
    this.#tally(node, 1)
  }

  #tally({ gpus, held, isDown }: NodeUse, sign: 1 | -1): void {
    if (isDown) this.#now[1]! += sign * (gpus - held)
    else if (held === 0) this.#wholeFree += sign * gpus
  }
}
