import type {
  MachineAttemptView,
  MachineChange,
  MachineNodeView,
  MachineView,
} from '../../../api/wire/machine.ts'

/** Nobody holds the GPU. */
export const FREE = -1
/** Somebody holds it whose work the reader may not see. */
export const OTHERS = -2

/** The whole machine as arrays by GPU, kept up to date by changes: what a hundred thousand pixels are drawn from. */
export class MachineModel {
  readonly levels: readonly string[]
  readonly domains: MachineView['domains']
  readonly kinds: MachineView['kinds']
  readonly nodes: MachineNodeView[]
  /** Where the GPUs of each node begin in the arrays by GPU; one entry more tells the end. */
  readonly firstGpu: Int32Array
  /** Index in `slots` of the attempt that holds each GPU, or `FREE`, or `OTHERS`. */
  readonly holder: Int32Array
  /** Thousandths of each GPU that are held. */
  readonly heldMilli: Uint16Array
  /** Attempts by slot; a slot whose attempt has ended is empty until it is used again. */
  readonly slots: (MachineAttemptView | undefined)[] = []
  readonly #slotOf = new Map<string, number>()
  readonly #emptySlots: number[] = []
  readonly #nodeIndex = new Map<string, number>()
  at: number

  constructor(view: MachineView) {
    const { levels, domains, kinds, nodes, at } = view
    this.levels = levels
    this.domains = domains
    this.kinds = kinds
    this.nodes = [...nodes]
    this.at = at
    this.firstGpu = new Int32Array(nodes.length + 1)
    for (const [index, node] of nodes.entries()) {
      this.#nodeIndex.set(node.id, index)
      this.firstGpu[index + 1] = this.firstGpu[index]! + (kinds[node.kind]?.gpuCount ?? 0)
    }
    const gpuCount = this.firstGpu[nodes.length]!
    this.holder = new Int32Array(gpuCount)
    this.heldMilli = new Uint16Array(gpuCount)
    for (const attempt of view.attempts) this.#setAttempt(attempt)
    for (const [index, node] of nodes.entries()) this.#setNode(index, node)
  }

  get gpuCount(): number {
    return this.holder.length
  }

  apply(change: MachineChange): void {
    this.at = change.at
    for (const attempt of change.attempts) this.#setAttempt(attempt)
    for (const node of change.nodes) {
      const index = this.#nodeIndex.get(node.id)
      if (index !== undefined) this.#setNode(index, node)
    }
    for (const id of change.ended) this.#endAttempt(id)
  }

  indexOfNode(id: string): number | undefined {
    return this.#nodeIndex.get(id)
  }

  /** Index of the node that a GPU is in. */
  nodeOfGpu(gpu: number): number {
    let low = 0
    let high = this.nodes.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.firstGpu[middle]! <= gpu) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Names of the domains around a node, outermost first. */
  domainsOf(node: number): readonly string[] {
    return this.domains[this.nodes[node]?.domain ?? -1] ?? []
  }

  #setAttempt(attempt: MachineAttemptView): void {
    const slot = this.#slotOf.get(attempt.id) ?? this.#emptySlots.pop() ?? this.slots.length
    this.slots[slot] = attempt
    this.#slotOf.set(attempt.id, slot)
  }

  #endAttempt(id: string): void {
    const slot = this.#slotOf.get(id)
    if (slot === undefined) return
    this.#slotOf.delete(id)
    this.slots[slot] = undefined
    this.#emptySlots.push(slot)
  }

  #setNode(index: number, node: MachineNodeView): void {
    this.nodes[index] = node
    const first = this.firstGpu[index]!
    const end = this.firstGpu[index + 1]!
    this.holder.fill(FREE, first, end)
    this.heldMilli.fill(0, first, end)
    for (const { attempt, gpus, milliGpus = 1000 } of node.held) {
      const slot = attempt === undefined ? OTHERS : (this.#slotOf.get(attempt) ?? OTHERS)
      for (const gpu of gpuIndices(gpus)) {
        if (first + gpu >= end) continue
        this.holder[first + gpu] = slot
        this.heldMilli[first + gpu] = Math.min(1000, this.heldMilli[first + gpu]! + milliGpus)
      }
    }
  }
}

/** The indices of `0-3,6`. */
export function gpuIndices(ranges: string): number[] {
  if (ranges === '') return []
  return ranges.split(',').flatMap((range) => {
    const [from = '', to = from] = range.split('-')
    const indices: number[] = []
    for (let index = Number(from); index <= Number(to); index++) indices.push(index)
    return indices
  })
}
