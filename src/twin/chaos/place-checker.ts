import type { AttemptId, NodeId, TimeMs } from '../../base/index.ts'
import { HOUR_MS, present } from '../../base/index.ts'
import type { LoggedEvent } from '../../control/index.ts'
import type { Allocation, NodeDescription, ResourceRequest, Workload } from '../../model/index.ts'
import type { World } from '../world/world.ts'
import type { Find } from './finding.ts'

/** An attempt is off GPUs that are gone by so long after, with facts that come late and all. */
const END_TOLD_MS = HOUR_MS

/**
 * Where work may stand on nodes that others use too and that change: on nothing that others hold (C20), on no GPU that
 * the node no longer has (C28, and `gone` where it stays there), on nodes of one kind (P3), and inside the domains that it asked for as they are now (P6,
 * P7, P10).
 */
export class PlaceChecker {
  readonly #nodes = new Map<NodeId, NodeDescription>()
  readonly #foreign = new Map<NodeId, readonly number[]>()
  readonly #goneSince = new Map<AttemptId, TimeMs>()
  readonly #find: Find

  constructor(find: Find) {
    this.#find = find
  }

  onEvents(events: readonly LoggedEvent[], world: World): void {
    for (const { event } of events) {
      switch (event.kind) {
        case 'node-described':
          this.#nodes.set(event.node.id, event.node)
          break
        case 'node-foreign':
          this.#foreign.set(event.node, event.gpus)
          break
        case 'node-renamed':
          this.#rename(event.node, event.to)
          break
        case 'node-removed':
          this.#nodes.delete(event.node)
          this.#foreign.delete(event.node)
          break
        case 'attempt-planned':
          this.#onFreeGpus(event.attempt, event.allocation, world)
          this.#asAsked(event.attempt, event.allocation, world)
          break
        case 'hold-placed':
          this.#onFreeGpus(event.hold.id, event.hold.allocation, world)
      }
    }
  }

  onStep(world: World): void {
    // Nobody is told of an end by a server that is not there, or cut off.
    const isTold = world.server.isServing && world.server.isInContact
    for (const { id, allocation } of world.state.attempts.values()) {
      const isGone = allocation.parts.some(({ node, gpus }) =>
        gpus.some((gpu) => gpu >= (this.#nodes.get(node)?.gpuCount ?? 0)),
      )
      if (!isGone || !isTold) {
        this.#goneSince.delete(id)
        continue
      }
      const since = this.#goneSince.get(id) ?? world.nowMs
      this.#goneSince.set(id, since)
      if (world.nowMs - since > END_TOLD_MS) this.#find('gone', world, `${id} is left on GPUs that are gone`)
    }
  }

  #rename(from: NodeId, to: NodeId): void {
    const node = present(this.#nodes.get(from), 'node', from)
    this.#nodes.delete(from)
    this.#nodes.set(to, { ...node, id: to })
    this.#foreign.set(to, this.#foreign.get(from) ?? [])
    this.#foreign.delete(from)
  }

  #onFreeGpus(what: string, { parts }: Allocation, world: World): void {
    for (const { node, gpus } of parts) {
      const { gpuCount } = present(this.#nodes.get(node), 'node', node)
      const gone = gpus.find((gpu) => gpu >= gpuCount)
      if (gone !== undefined)
        this.#find('C28', world, `${what} is given GPU ${gone} of ${node}, which is gone`)
      const foreign = gpus.find((gpu) => this.#foreign.get(node)?.includes(gpu))
      if (foreign !== undefined)
        this.#find('C20', world, `${what} is given GPU ${foreign} of ${node}, which others hold`)
    }
  }

  #asAsked(attempt: AttemptId, allocation: Allocation, world: World): void {
    const record = world.state.attempts.get(attempt)
    const workload = record && world.state.workloads.get(record.workload)
    if (!workload) return
    const nodes = allocation.parts.map(({ node }) => present(this.#nodes.get(node), 'node', node))
    const kinds = new Set(nodes.map(({ gpuModel, gpuCount }) => `${gpuCount} ${gpuModel}`))
    if (kinds.size > 1) this.#find('P3', world, `${attempt} stands on nodes with ${[...kinds].join(' and ')}`)
    const { shape, within, segment } = workload.spec.resources
    const isWhole = allocation.parts.every(({ gpus }, i) => gpus.length === nodes[i]?.gpuCount)
    if (shape.kind === 'nodes' && shape.gpusPerNode === undefined && !isWhole)
      this.#find('S1', world, `${attempt} asks for whole nodes and has parts of them`)
    const { levels } = world.setup
    if (within?.mode === 'required' && domainsOf(nodes, within.level, levels).size > 1)
      this.#find('P6', world, `${attempt} is in several domains of ${within.level}`)
    if (segment)
      for (let from = 0; from < nodes.length; from += segment.nodes)
        if (domainsOf(nodes.slice(from, from + segment.nodes), segment.level, levels).size > 1)
          this.#find('P7', world, `a segment of ${attempt} is in several domains of ${segment.level}`)
    this.#apart(attempt, workload, nodes, world)
  }

  #apart(attempt: AttemptId, workload: Workload, nodes: readonly NodeDescription[], world: World): void {
    const { spread }: ResourceRequest = workload.spec.resources
    if (spread?.mode !== 'required') return
    const { levels } = world.setup
    const own = domainsOf(nodes, spread.level, levels)
    for (const other of workload.liveAttempts) {
      const live = world.state.attempts.get(other)
      // One that ends leaves its domain to others.
      if (other === attempt || !live || live.state === 'stopping') continue
      const there = live.allocation.parts.flatMap(({ node }) => this.#nodes.get(node) ?? [])
      for (const domain of domainsOf(there, spread.level, levels))
        if (own.has(domain)) this.#find('P10', world, `${attempt} is in ${domain} beside ${other}`)
    }
  }
}

/** Paths of the domains of the level around the nodes. */
function domainsOf(
  nodes: readonly NodeDescription[],
  level: string,
  levels: readonly string[],
): ReadonlySet<string> {
  const depth = levels.indexOf(level) + 1
  return new Set(nodes.map(({ id, domains }) => [...domains, id].slice(0, depth).join('/')))
}
