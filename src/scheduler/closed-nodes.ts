import { hasOwnNodes, notAskedFor } from './asked-nodes.ts'
import { type Cells, cellsOf, nodesOfOthers } from './cells.ts'
import type { EvictionContext } from './eviction-context.ts'
import { canEverFit } from './feasible.ts'
import { WHOLE_GPU } from './footprint.ts'
import type { QueuedGang } from './gang.ts'
import type { Promises } from './promises.ts'
import { type Claim, isWithinGuarantee } from './quota.ts'
import type { RequestClass } from './request-class.ts'
import { apartAlways } from './spread.ts'
import type { Entry } from './waiting.ts'

type Context = Pick<EvictionContext, 'machine' | 'now' | 'evicted' | 'wakeAt'> & {
  readonly promises: Promises
}

/** Which nodes a gang must leave alone in one pass, though there may be room on them. */
export class ClosedNodes {
  /** Whether some queue is guaranteed whole domains. */
  readonly hasCells: boolean
  private readonly context: Context
  private cellsAtOutset: readonly Cells[] | undefined

  constructor(context: Context) {
    this.context = context
    const { guaranteed } = context.machine.queues
    this.hasCells = guaranteed.some(({ queue }) => queue.guaranteedDomains !== undefined)
  }

  /** Whether some nodes may be closed to this gang and open to others that ask for as much. */
  areOwn(gang: QueuedGang): boolean {
    return hasOwnNodes(gang)
  }

  /** For a start: what it did not ask for, where it failed, where others are guaranteed domains, where a window is open, where its replicas are. */
  to(entry: Entry, request: RequestClass): number[] {
    const { machine, promises, evicted } = this.context
    const { gpuMilli } = request.options[0]!
    const closed = this.avoidedOrOthers(entry, gpuMilli)
    // What windows keep of a node is its whole GPUs that were free at the outset.
    const takesParts = gpuMilli % WHOLE_GPU !== 0 || gpuMilli === 0
    if (evicted.length > 0 || takesParts) closed.push(...promises.closedTo(entry))
    if (request.request.spread?.mode === 'required')
      closed.push(...apartAlways(machine.fleet, entry.gang, request))
    return closed
  }

  /** For a place that is made by ending others, too. */
  always(claim: Claim, gpuMilli: number): number[] {
    const { machine, promises } = this.context
    const { fleet } = machine
    const { request } = claim.gang
    const closed = [...this.avoidedOrOthers(claim, gpuMilli), ...promises.closedTo(claim)]
    if (request.spread?.mode === 'required')
      closed.push(...apartAlways(fleet, claim.gang, fleet.classOf(request)))
    return closed
  }

  /** Whether it would fit on what it asked for outside of others' guaranteed domains, were all of that ready and empty. */
  leaveEnough(entry: Entry, request: RequestClass): boolean {
    const { tree } = this.context.machine.fleet
    const { gpuMilli } = request.options[0]!
    const closed = [...notAskedFor(tree, entry.gang), ...this.ofOthers(entry, gpuMilli)]
    if (closed.length === 0) return true
    const requiredDepth = request.withinRequired ? request.withinDepth : undefined
    const bounds = { requiredDepth, segmentDepth: request.segmentDepth }
    return request.options.some((option) =>
      canEverFit(tree, request.request, option, bounds, new Set(closed)),
    )
  }

  /** Those that stand for others' guaranteed domains, for what could not be ended again for them. */
  ofOthers({ gang, user }: Claim, gpuMilli: number): number[] {
    const { machine } = this.context
    if (!this.hasCells) return []
    if (gang.preemptible && !isWithinGuarantee(machine, user.parent, gpuMilli)) return []
    return nodesOfOthers(machine.fleet.tree, this.cells(), user.parent)
  }

  /** Nodes that it did not ask for or that failed it, and those of others. */
  private avoidedOrOthers(claim: Claim, gpuMilli: number): number[] {
    const { machine, now } = this.context
    const { tree } = machine.fleet
    const closed = notAskedFor(tree, claim.gang)
    for (const { node, until } of claim.gang.avoid) {
      const n = tree.nodeIndex.get(node)
      if (n === undefined || until <= now) continue
      this.context.wakeAt(until)
      closed.push(n)
    }
    if (this.hasCells) closed.push(...this.ofOthers(claim, gpuMilli))
    return closed
  }

  /** Those of the outset hold for the whole pass: what starts and cannot be ended again keeps out of them. */
  private cells(): readonly Cells[] {
    this.cellsAtOutset ??= cellsOf(this.context.machine)
    return this.cellsAtOutset
  }
}
