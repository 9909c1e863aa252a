import type { NodeId } from '../../base/index.ts'
import { present } from '../../base/index.ts'
import type { EngineFact, LaunchOrder } from '../../control/index.ts'
import type { NodeDescription } from '../../model/index.ts'

/** What others than Banyan hold on a node. */
interface ForeignHold {
  readonly gpus: readonly number[]
  /** For people; empty when they hold nothing. */
  readonly holder: string
}

/** What has become of the nodes, as plain data. */
export interface NodesRecord {
  readonly down: readonly NodeId[]
  readonly away: readonly NodeId[]
  readonly changed: readonly NodeDescription[]
  readonly foreign: readonly (readonly [NodeId, ForeignHold])[]
}

const NOBODY: ForeignHold = { gpus: [], holder: '' }

/** The nodes of a simulated fleet as they are now, beside what runs on them. */
export class SimulatedNodes {
  readonly down = new Set<NodeId>()
  readonly #first: readonly NodeDescription[]
  /** Nodes that are not part of the fleet now; they are down too. */
  readonly #away = new Set<NodeId>()
  /** Nodes that are not as they were in the beginning. */
  readonly #changed = new Map<NodeId, NodeDescription>()
  /** Nodes on which others ever held something. */
  readonly #foreign = new Map<NodeId, ForeignHold>()

  constructor(nodes: readonly NodeDescription[]) {
    this.#first = nodes
  }

  /** Those that are part of the fleet now. */
  list(): readonly NodeDescription[] {
    if (this.#away.size + this.#changed.size === 0) return this.#first
    return this.#first
      .filter(({ id }) => !this.#away.has(id))
      .map((node) => this.#changed.get(node.id) ?? node)
  }

  /** As it is now, in the fleet or not. */
  describe(id: NodeId): NodeDescription {
    return this.#changed.get(id) ?? this.describeFirst(id)
  }

  /** As it was in the beginning. */
  describeFirst(id: NodeId): NodeDescription {
    const node = this.#first.find((node) => node.id === id)
    return present(node, 'node', id)
  }

  isAway(id: NodeId): boolean {
    return this.#away.has(id)
  }

  leave(id: NodeId): void {
    this.#away.add(id)
  }

  /** False when it was there. */
  comeBack(id: NodeId): boolean {
    return this.#away.delete(id)
  }

  change(node: NodeDescription): void {
    if (node === this.describeFirst(node.id)) this.#changed.delete(node.id)
    else this.#changed.set(node.id, node)
  }

  foreignOn(id: NodeId): ForeignHold {
    return this.#foreign.get(id) ?? NOBODY
  }

  setForeign(id: NodeId, gpus: readonly number[], holder: string): void {
    this.#foreign.set(id, gpus.length === 0 ? NOBODY : { gpus, holder })
  }

  /** Why the order can never start as it is, with the node that is in its way. */
  refusal({ allocation }: LaunchOrder): { readonly node: NodeId; readonly message: string } | undefined {
    for (const { node, gpus } of allocation.parts) {
      if (this.down.has(node)) return { node, message: `node ${node} is down` }
      if (this.#changed.size === 0) continue
      const gone = gpus.find((gpu) => gpu >= this.describe(node).gpuCount)
      if (gone !== undefined) return { node, message: `node ${node} has no GPU ${gone}` }
    }
    return undefined
  }

  /** Whether others hold what the order needs. */
  isTaken({ allocation }: LaunchOrder): boolean {
    if (this.#foreign.size === 0) return false
    return allocation.parts.some(({ node, gpus }) => {
      const foreign = this.foreignOn(node)
      return gpus.some((gpu) => foreign.gpus.includes(gpu))
    })
  }

  /** GPUs of the node that neither these orders nor others have. */
  freeGpus(id: NodeId, orders: readonly LaunchOrder[]): number[] {
    if (this.down.has(id)) return []
    const taken = new Set(this.foreignOn(id).gpus)
    for (const { allocation } of orders)
      for (const { node, gpus } of allocation.parts) if (node === id) for (const gpu of gpus) taken.add(gpu)
    const all = Array.from({ length: this.describe(id).gpuCount }, (_, gpu) => gpu)
    return all.filter((gpu) => !taken.has(gpu))
  }

  /** Everything that is known of the nodes. */
  facts(at: number): EngineFact[] {
    const facts: EngineFact[] = []
    for (const node of this.list()) {
      facts.push({ kind: 'node-present', node, at })
      if (this.down.has(node.id)) facts.push({ kind: 'node-down', node: node.id, reason: 'failed', at })
      else facts.push({ kind: 'node-up', node: node.id, at })
      const foreign = this.#foreign.get(node.id)
      if (foreign) facts.push({ kind: 'node-foreign', node: node.id, ...foreign, at })
    }
    return facts
  }

  record(): NodesRecord {
    return {
      down: [...this.down],
      away: [...this.#away],
      changed: [...this.#changed.values()],
      foreign: [...this.#foreign],
    }
  }

  load({ down, away, changed, foreign }: NodesRecord): void {
    for (const node of down) this.down.add(node)
    for (const node of away) this.#away.add(node)
    for (const node of changed) this.#changed.set(node.id, node)
    for (const [node, hold] of foreign) this.#foreign.set(node, hold)
  }
}
