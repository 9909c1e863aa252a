import type { NodeId } from '../../base/index.ts'
import { id } from '../../base/index.ts'
import type { EngineFact } from '../../control/ports/index.ts'
import type { NodeDescription } from '../../model/index.ts'
import { parseHostlist } from '../../model/slurm/hostlist.ts'
import { parseGpuGres } from './gres.ts'
import { describeNode, foreignGpus, troubleOf } from './inventory.ts'
import type { SlurmAttempt } from './slurm-attempt.ts'
import type { SlurmJob, SlurmNode } from './transport.ts'

type NodeFact = Extract<EngineFact, { readonly at: number; readonly kind: `node-${string}` }>

/** What one look at the nodes goes by. */
export interface NodeView {
  readonly nodes: readonly SlurmNode[]
  readonly jobs: readonly SlurmJob[]
  /** All that may hold something, or come to. */
  readonly attempts: Iterable<SlurmAttempt>
  readonly domainsOf: (node: string) => readonly string[]
}

/** Keeps what is known of each node, and tells what changed. */
export class NodeWatch {
  readonly #known = new Map<string, readonly NodeFact[]>()
  /** Indices that count as foreign, kept from look to look so that they do not wander. */
  readonly #foreign = new Map<string, readonly number[]>()

  get facts(): NodeFact[] {
    const at = Date.now()
    return [...this.#known.values()].flat().map((fact) => ({ ...fact, at }))
  }

  /** Facts that differ from those of the look before. */
  look(view: NodeView): NodeFact[] {
    const at = Date.now()
    const own = ownGpus(view.attempts)
    const holders = foreignHolders(view)
    const news: NodeFact[] = []
    for (const node of view.nodes) {
      const facts = this.#factsOf(node, view, own.get(node.name) ?? new Set(), holders.get(node.name) ?? [])
      const before = this.#known.get(node.name)
      this.#known.set(node.name, facts)
      for (const [index, fact] of facts.entries()) {
        if (JSON.stringify(fact) !== JSON.stringify(before?.[index])) news.push({ ...fact, at })
      }
    }
    const listed = new Set(view.nodes.map(({ name }) => name))
    for (const name of this.#known.keys()) {
      if (listed.has(name)) continue
      this.#known.delete(name)
      this.#foreign.delete(name)
      news.push({ kind: 'node-gone', node: id<NodeId>(name), at })
    }
    return news
  }

  #factsOf(
    node: SlurmNode,
    { domainsOf }: NodeView,
    own: ReadonlySet<number>,
    holders: readonly string[],
  ): NodeFact[] {
    const description: NodeDescription = describeNode(node, domainsOf(node.name))
    const name = description.id
    const trouble = troubleOf(node)
    const gpus = this.#indices(node, own)
    return [
      { kind: 'node-present', node: description, at: 0 },
      trouble === undefined
        ? { kind: 'node-up', node: name, at: 0 }
        : { kind: 'node-down', node: name, reason: trouble, at: 0 },
      { kind: 'node-foreign', node: name, gpus, holder: gpus.length === 0 ? '' : holderText(holders), at: 0 },
    ]
  }

  /** Slurm chooses indices by itself, so that only their number is certain: those that nothing of Banyan's has. */
  #indices(node: SlurmNode, own: ReadonlySet<number>): readonly number[] {
    const total = parseGpuGres(node.gres)?.count ?? node.cpus
    const wanted = foreignGpus(node, own.size)
    const before = this.#foreign.get(node.name) ?? []
    const free = Array.from({ length: total }, (_, index) => total - 1 - index).filter(
      (index) => !own.has(index),
    )
    const chosen = [...new Set([...before.filter((index) => free.includes(index)), ...free])].slice(0, wanted)
    const indices = chosen.sort((a, b) => a - b)
    this.#foreign.set(node.name, indices)
    return indices
  }
}

/** GPU indices by node that Banyan's own jobs hold, wait for or are about to let go of. */
function ownGpus(attempts: Iterable<SlurmAttempt>): Map<string, Set<number>> {
  const own = new Map<string, Set<number>>()
  for (const attempt of attempts) {
    for (const { node, gpus } of attempt.record.order.allocation.parts) {
      const indices = own.get(node) ?? new Set()
      for (const gpu of gpus) indices.add(gpu)
      own.set(node, indices)
    }
  }
  return own
}

function foreignHolders({ jobs, attempts }: NodeView): Map<string, string[]> {
  const ours = new Set([...attempts].map(({ job }) => job?.id))
  const holders = new Map<string, string[]>()
  for (const job of jobs) {
    if (ours.has(job.id) || !/^(?:RUNNING|COMPLETING|CONFIGURING|SUSPENDED)$/.test(job.state)) continue
    const nodes = parseHostlist(job.nodes)
    if (!nodes.ok) continue
    for (const node of nodes.value) {
      holders.set(node, [...(holders.get(node) ?? []), `Slurm job ${job.id} of ${job.user}`])
    }
  }
  return holders
}

function holderText(holders: readonly string[]): string {
  const shown = holders.slice(0, 3).join(', ')
  if (holders.length === 0) return 'something in Slurm that is not Banyan’s'
  return holders.length > 3 ? `${shown} and ${holders.length - 3} more` : shown
}
