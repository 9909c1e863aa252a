import type { AttemptId, NodeId, TimeMs, WorkloadId } from '../../base/index.ts'
import type { LoggedEvent } from '../../control/index.ts'
import type { Allocation, NodeDescription, ResourceShape } from '../../model/index.ts'
import { type Series, StepSeries } from './step-series.ts'

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

/** Follows the events and adds up, at each instant, which GPUs are held, down or free, and what is queued. */
export class FleetUseMeter {
  readonly #gpusOfNode = new Map<NodeId, number>()
  readonly #heldOnNode = new Map<NodeId, number>()
  readonly #down = new Set<NodeId>()
  readonly #queued = new Map<WorkloadId, number>()
  readonly #live = new Map<AttemptId, { workload: WorkloadId; allocation: Allocation }>()
  /** GPUs of the gang, or of one replica. */
  readonly #asked = new Map<WorkloadId, number>()
  readonly #total: number
  readonly #gpusPerNode: number
  readonly #series: StepSeries
  readonly #now = new Float64Array(USE_ROWS.length)
  #at: TimeMs
  #wholeFree = 0
  #queuedGpus = 0
  readonly #integrals = new Float64Array(USE_ROWS.length)

  constructor(nodes: readonly NodeDescription[], startMs: TimeMs) {
    for (const { id, gpuCount } of nodes) this.#gpusOfNode.set(id, gpuCount)
    this.#total = nodes.reduce((sum, { gpuCount }) => sum + gpuCount, 0)
    this.#wholeFree = this.#total
    this.#gpusPerNode = nodes[0]?.gpuCount ?? 0
    this.#series = new StepSeries(startMs, USE_ROWS.length)
    this.#at = startMs
  }

  take(logged: LoggedEvent): void {
    if (logged.at !== this.#at) this.#passTo(logged.at)
    const { event } = logged
    switch (event.kind) {
      case 'workload-submitted': {
        const { spec } = event
        const gpus = this.#gpusAsked(spec.resources.shape)
        this.#asked.set(event.workload, gpus)
        this.#queue(event.workload, gpus * (spec.type === 'serve' ? spec.replicas : 1))
        return
      }
      case 'attempt-planned':
        this.#queue(event.workload, -(this.#asked.get(event.workload) ?? 0))
        this.#hold(event.attempt, event.workload, event.allocation)
        return
      case 'attempt-ended': {
        const workload = this.#release(event.attempt)
        if (event.retry && workload) this.#queue(workload, this.#asked.get(workload) ?? 0)
        return
      }
      case 'workload-finished':
        this.#queue(event.workload, -(this.#queued.get(event.workload) ?? 0))
        this.#asked.delete(event.workload)
        return
      case 'node-moved':
        this.#count(event.node, () => {
          if (event.to === 'down') this.#down.add(event.node)
          else this.#down.delete(event.node)
        })
        return
      default:
        return
    }
  }

  use(until: TimeMs): FleetUse {
    this.#passTo(until)
    const [held = 0, down = 0, , fragmented = 0] = this.#integrals
    return {
      series: this.#series.series(),
      downGpuMs: down,
      freeWhileWaitedForGpuMs: fragmented,
      heldGpuMs: held,
    }
  }

  /** GPUs that its attempt holds in all, for whole nodes by the first node's count. */
  #gpusAsked(shape: ResourceShape): number {
    if (shape.kind === 'gpus') return shape.gpus
    if (shape.kind === 'fraction') return shape.milliGpus / 1000
    return shape.nodes * (shape.gpusPerNode ?? this.#gpusPerNode)
  }

  /** So many more GPUs are waited for. */
  #queue(workload: WorkloadId, gpus: number): void {
    const before = this.#queued.get(workload) ?? 0
    const after = Math.max(0, before + gpus)
    if (after > 0) this.#queued.set(workload, after)
    else this.#queued.delete(workload)
    this.#queuedGpus += after - before
  }

  #hold(attempt: AttemptId, workload: WorkloadId, allocation: Allocation): void {
    this.#live.set(attempt, { workload, allocation })
    this.#move(allocation, 1)
  }

  #release(attempt: AttemptId): WorkloadId | undefined {
    const live = this.#live.get(attempt)
    if (!live) return undefined
    this.#live.delete(attempt)
    this.#move(live.allocation, -1)
    return live.workload
  }

  #move(allocation: Allocation, sign: 1 | -1): void {
    for (const part of allocation.parts) {
      const gpus = (sign * part.gpus.length * (part.milliGpus ?? 1000)) / 1000
      this.#now[0]! += gpus
      this.#count(part.node, () =>
        this.#heldOnNode.set(part.node, (this.#heldOnNode.get(part.node) ?? 0) + gpus),
      )
    }
  }

  /** Counts the node out, lets it change, and counts it in again. */
  #count(node: NodeId, change: () => void): void {
    this.#tally(node, -1)
    change()
    this.#tally(node, 1)
  }

  #tally(node: NodeId, sign: 1 | -1): void {
    const gpus = this.#gpusOfNode.get(node) ?? 0
    const held = this.#heldOnNode.get(node) ?? 0
    if (this.#down.has(node)) this.#now[1]! += sign * (gpus - held)
    else if (held === 0) this.#wholeFree += sign * gpus
  }

  #passTo(at: TimeMs): void {
    const now = this.#now
    const free = Math.max(0, this.#total - now[0]! - now[1]!)
    now[2] = this.#queuedGpus
    now[3] = Math.min(free, this.#queuedGpus)
    now[4] = Math.max(0, free - this.#wholeFree)
    now[5] = this.#queued.size
    this.#series.had(now, at)
    const span = at - this.#at
    for (let i = 0; i < now.length; i++) this.#integrals[i]! += now[i]! * span
    this.#at = at
  }
}
