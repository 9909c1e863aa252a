import type { MachineAttemptView, MachineChange, MachineNodeView, MachineView } from '../api/index.ts'
import type { AttemptId, NodeId } from '../base/index.ts'
import { compareIds, present } from '../base/index.ts'
import type { ControlState, LoggedEvent } from '../control/index.ts'
import type { Attempt, Node, User } from '../model/index.ts'
import { allocatedGpus, maySee } from '../model/index.ts'
import { attemptsByNode } from './views.ts'

/** Every node and who holds which of its GPUs; whose work it is only where the reader may see that (S9). */
export function machineView(state: ControlState, reader: User, at: number): MachineView {
  const domains = new Table<readonly string[]>()
  const kinds = new Table<MachineView['kinds'][number]>()
  const byNode = attemptsByNode(state)
  const nodes = [...state.nodes.values()].sort((a, b) => compareIds(a.id, b.id))
  const { lastSequence, cluster } = state
  return {
    revision: lastSequence,
    at,
    levels: [...cluster.levels],
    nodes: nodes.map((node) =>
      row(node, domainOf(node, domains), kindOf(node, kinds), byNode.get(node.id) ?? [], state, reader),
    ),
    attempts: [...state.attempts.values()].flatMap((attempt) => attemptView(state, attempt, reader) ?? []),
    domains: domains.items,
    kinds: kinds.items,
  }
}

/**
 * What has changed since it was last asked, for one reader. It is told every event, in any batches, and keeps who stands
 * where, so that a change costs what has changed and not the whole machine.
 */
export class MachineChanges {
  readonly #reader: User
  readonly #domains = new Table<readonly string[]>()
  readonly #kinds = new Table<MachineView['kinds'][number]>()
  readonly #nodesOf = new Map<AttemptId, readonly NodeId[]>()
  readonly #attemptsOn = new Map<NodeId, Set<AttemptId>>()
  readonly #nodes = new Set<NodeId>()
  readonly #attempts = new Set<AttemptId>()
  /** Those that the reader was told of. */
  readonly #told = new Set<AttemptId>()
  #isWhole = true

  constructor(reader: User) {
    this.#reader = reader
  }

  /** Whether anything is to be told. */
  get isPending(): boolean {
    return this.#isWhole || this.#nodes.size > 0 || this.#attempts.size > 0
  }

  /** No events mean that some may have been missed. */
  see(events: readonly LoggedEvent[]): void {
    if (events.length === 0) this.#isWhole = true
    for (const { event } of events) {
      switch (event.kind) {
        case 'cluster-described':
        case 'node-described':
        case 'node-renamed':
        case 'node-removed':
          this.#isWhole = true
          break
        case 'node-moved':
        case 'node-contact':
        case 'node-foreign':
          this.#nodes.add(event.node)
          break
        case 'attempt-planned':
        case 'attempt-running':
        case 'attempt-stopping':
        case 'attempt-ended':
          this.#attempts.add(event.attempt)
      }
    }
  }

  /** The whole machine at first and where its nodes are not the same any more, else the rows that differ. */
  take(
    state: ControlState,
    at: number,
  ):
    | { readonly type: 'machine'; readonly data: MachineView }
    | { readonly type: 'change'; readonly data: MachineChange } {
    const attempts = [...this.#attempts]
    const dirty = this.#nodes
    if (this.#isWhole) this.#startOver(state)
    else for (const attempt of attempts) this.#place(attempt, state, dirty)
    const told = this.#isWhole
      ? ({ type: 'machine', data: machineView(state, this.#reader, at) } as const)
      : ({ type: 'change', data: this.#change(attempts, dirty, state, at) } as const)
    this.#isWhole = false
    this.#attempts.clear()
    this.#nodes.clear()
    return told
  }

  #change(
    attempts: readonly AttemptId[],
    dirty: ReadonlySet<NodeId>,
    state: ControlState,
    at: number,
  ): MachineChange {
    const rows: MachineNodeView[] = []
    for (const id of dirty) {
      const node = present(state.nodes.get(id), `node ${id}`)
      const there = [...(this.#attemptsOn.get(id) ?? [])].flatMap(
        (attempt) => state.attempts.get(attempt) ?? [],
      )
      const domain = domainOf(node, this.#domains)
      rows.push(row(node, domain, kindOf(node, this.#kinds), there, state, this.#reader))
    }
    const changed: MachineAttemptView[] = []
    const ended: AttemptId[] = []
    for (const id of attempts) {
      const attempt = state.attempts.get(id)
      const view = attempt && attemptView(state, attempt, this.#reader)
      if (view) {
        changed.push(view)
        this.#told.add(id)
      } else if (this.#told.delete(id)) ended.push(id)
    }
    return { revision: state.lastSequence, at, nodes: rows, attempts: changed, ended }
  }

  #startOver(state: ControlState): void {
    this.#nodesOf.clear()
    this.#attemptsOn.clear()
    this.#told.clear()
    for (const attempt of state.attempts.values()) {
      this.#place(attempt.id, state, new Set())
      if (isVisible(state, attempt, this.#reader)) this.#told.add(attempt.id)
    }
    this.#domains.clear()
    this.#kinds.clear()
    for (const node of [...state.nodes.values()].sort((a, b) => compareIds(a.id, b.id))) {
      domainOf(node, this.#domains)
      kindOf(node, this.#kinds)
    }
  }

  /** Notes where the attempt stands now; all nodes where it stood or stands are marked. */
  #place(id: AttemptId, state: ControlState, marked: Set<NodeId>): void {
    for (const node of this.#nodesOf.get(id) ?? []) {
      this.#attemptsOn.get(node)?.delete(id)
      marked.add(node)
    }
    const nodes = state.attempts.get(id)?.allocation.parts.map((part) => part.node)
    if (!nodes) {
      this.#nodesOf.delete(id)
      return
    }
    this.#nodesOf.set(id, nodes)
    for (const node of nodes) {
      const there = this.#attemptsOn.get(node)
      if (there) there.add(id)
      else this.#attemptsOn.set(node, new Set([id]))
      marked.add(node)
    }
  }
}

/** Different items in the order in which they first came, each with its index. */
class Table<Item> {
  readonly items: Item[] = []
  readonly #index = new Map<string, number>()

  indexOf(key: string, make: () => Item): number {
    const known = this.#index.get(key)
    if (known !== undefined) return known
    const index = this.items.length
    this.items.push(make())
    this.#index.set(key, index)
    return index
  }

  clear(): void {
    this.items.length = 0
    this.#index.clear()
  }
}

function domainOf({ domains }: Node, table: Table<readonly string[]>): number {
  return table.indexOf(domains.join('/'), () => [...domains])
}

function kindOf(node: Node, table: Table<MachineView['kinds'][number]>): number {
  const { gpuModel, gpuCount, gpuMemoryBytes } = node
  return table.indexOf(`${gpuModel}/${gpuCount}/${gpuMemoryBytes}`, () => ({
    gpuModel,
    gpuCount,
    gpuMemoryBytes,
  }))
}

function row(
  node: Node,
  domain: number,
  kind: number,
  attempts: readonly Attempt[],
  state: ControlState,
  reader: User,
): MachineNodeView {
  const held: MachineNodeView['held'][number][] = []
  for (const attempt of attempts) {
    const part = attempt.allocation.parts.find((candidate) => candidate.node === node.id)
    if (!part) continue
    held.push({
      ...(isVisible(state, attempt, reader) ? { attempt: attempt.id } : {}),
      gpus: ranges(part.gpus),
      ...(part.milliGpus !== undefined ? { milliGpus: part.milliGpus } : {}),
    })
  }
  return {
    id: node.id,
    domain,
    kind,
    state: node.state,
    ...(node.contact === 'lost' ? { contact: 'lost' } : {}),
    held,
  }
}

function attemptView(state: ControlState, attempt: Attempt, reader: User): MachineAttemptView | undefined {
  const workload = state.workloads.get(attempt.workload)
  if (!workload || !maySee(reader, workload.owner)) return undefined
  const { name, type, priority } = workload.spec
  return {
    id: attempt.id,
    workload: workload.id,
    name,
    type,
    priority,
    state: attempt.state,
    owner: workload.owner,
    gpus: allocatedGpus(attempt.allocation),
  }
}

function isVisible(state: ControlState, attempt: Attempt, reader: User): boolean {
  const workload = state.workloads.get(attempt.workload)
  return workload !== undefined && maySee(reader, workload.owner)
}

/** Ascending indices as ranges: `0-3,6`. */
export function ranges(indices: readonly number[]): string {
  let text = ''
  for (let from = 0; from < indices.length; ) {
    let to = from
    while (indices[to + 1] === indices[to]! + 1) to++
    text += `${text === '' ? '' : ','}${indices[from]}${to > from ? `-${indices[to]}` : ''}`
    from = to + 1
  }
  return text
}
