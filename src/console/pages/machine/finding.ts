import type { MachineModel } from './machine-model.ts'

/** What a search lights up, and how it lies in the fabric. */
export interface Found {
  readonly isLit: (gpu: number, node: number) => boolean
  readonly gpus: number
  readonly nodes: readonly number[]
  /** Ids of the workloads that it is about. */
  readonly workloads: readonly string[]
  /** How many domains of each level it stands in, outermost first. */
  readonly spans: readonly { readonly level: string; readonly count: number }[]
}

/**
 * The GPUs of every workload whose id, name, user, team or organisation has the text, and of nodes whose id or domain has
 * it. An exact id of a workload means only that one.
 */
export function find(model: MachineModel, text: string): Found | undefined {
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return undefined
  const isExact = model.slots.some((attempt) => attempt?.workload.toLowerCase() === wanted)
  const lit = model.slots.map((attempt) => {
    if (!attempt) return false
    if (isExact) return attempt.workload.toLowerCase() === wanted
    const { workload, name, owner, type, state } = attempt
    return (
      [workload, name, owner.user, owner.team, owner.organisation].some((each) =>
        each.toLowerCase().includes(wanted),
      ) ||
      type === wanted ||
      state === wanted
    )
  })
  const litNodes = model.nodes.map((node, index) => {
    if (isExact) return false
    return (
      node.id.toLowerCase().includes(wanted) ||
      model.domainsOf(index).some((domain) => domain.toLowerCase() === wanted) ||
      `node ${node.state}` === wanted
    )
  })
  const isLit = (gpu: number, node: number) => litNodes[node] === true || lit[model.holder[gpu]!] === true
  let gpus = 0
  const nodes: number[] = []
  for (let node = 0; node < model.nodes.length; node++) {
    let here = 0
    for (let gpu = model.firstGpu[node]!; gpu < model.firstGpu[node + 1]!; gpu++) if (isLit(gpu, node)) here++
    if (here > 0) nodes.push(node)
    gpus += here
  }
  const workloads = new Set(
    model.slots.flatMap((attempt, slot) => (attempt && lit[slot] ? attempt.workload : [])),
  )
  return { isLit, gpus, nodes, workloads: [...workloads], spans: spansOf(model, nodes) }
}

function spansOf(model: MachineModel, nodes: readonly number[]): Found['spans'] {
  return model.levels.slice(0, -1).map((level, depth) => {
    const names = new Set(
      nodes.map((node) =>
        model
          .domainsOf(node)
          .slice(0, depth + 1)
          .join('/'),
      ),
    )
    return { level, count: names.size }
  })
}
