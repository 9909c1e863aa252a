import { ok, type Result, refuse } from '../base/index.ts'
import { CLUSTER_TEMPLATES, type ClusterTemplate, clusterTemplate } from '../fabric/index.ts'
import facts from './data/gpus.json' with { type: 'json' }

export type Precision = 'bf16' | 'fp8' | 'fp4'
export type Architecture = 'volta' | 'ampere' | 'hopper' | 'blackwell'

/** A GPU and the node around it, as its data sheet has them. Bytes, bytes per second in one direction, dense FLOP per second. */
export interface Gpu {
  readonly name: string
  readonly architecture: Architecture
  readonly memoryBytes: number
  readonly memoryBandwidth: number
  readonly flops: { readonly bf16: number; readonly fp8?: number; readonly fp4?: number }
  readonly nvlinkBandwidth: number
  /** GPUs that reach each other by NVLink. */
  readonly nvlinkDomain: number
  readonly gpusPerNode: number
  /** Of the network for each GPU. */
  readonly nicBandwidth: number
  readonly watts: number
  readonly dollarsPerHour: number
}

/** GPUs of one kind and the links between them: what a plan runs on. */
export interface Machine {
  readonly gpu: Gpu
  readonly gpuCount: number
  readonly gpusPerNode: number
  readonly nvlinkDomain: number
  /** Bytes per second in one direction for each GPU; 0 where nodes are not joined. */
  readonly nicBandwidth: number
}

const GPUS = facts.gpus as readonly (Gpu & { readonly aliases: readonly string[]; readonly source: string })[]
const BY_NAME = new Map(
  GPUS.flatMap((gpu) => [gpu.name, ...gpu.aliases].map((name) => [plain(name), gpu] as const)),
)

function gpuNames(): readonly string[] {
  return GPUS.map((gpu) => gpu.name)
}

/** Every GPU that is known, in the data file's order, each with where its figures are from. */
export function knownGpus(): readonly (Gpu & { readonly source: string })[] {
  return GPUS
}

/** Where the figures of a GPU are from. */
export function sourceOfGpu({ name }: Gpu): string {
  return BY_NAME.get(plain(name))?.source ?? 'as asked'
}

/**
 * The data sheet of a GPU by name (`H100`, `A100-80`, `GB200`, `NVIDIA H100 80GB HBM3`), or the names that are known.
 * Where the name says more than is known, its family and memory decide.
 */
export function gpuByName(name: string): Result<Gpu, string> {
  const family = /(GB300|GB200|B300|B200|H200|H800|H100|A800|A100|V100)(?!\d)/i.exec(name)?.[1]
  const memory = /(\d{2,3})\s*(?:GB|GiB)/i.exec(name)?.[1]
  const gpu =
    BY_NAME.get(plain(name)) ??
    (family && memory ? BY_NAME.get(plain(`${family}-${memory}`)) : undefined) ??
    (family && BY_NAME.get(plain(family)))
  return gpu ? ok(gpu) : refuse(`no GPU is called "${name}"; known are ${gpuNames().join(', ')}`)
}

/** `gpuCount` GPUs of one kind in the nodes and links that they usually come in, unless told otherwise. */
export function machineOf(
  gpu: Gpu,
  gpuCount: number,
  links: Partial<Pick<Machine, 'gpusPerNode' | 'nvlinkDomain' | 'nicBandwidth'>> = {},
): Machine {
  return {
    gpu,
    gpuCount,
    gpusPerNode: links.gpusPerNode ?? gpu.gpusPerNode,
    nvlinkDomain: links.nvlinkDomain ?? gpu.nvlinkDomain,
    nicBandwidth: links.nicBandwidth ?? gpu.nicBandwidth,
  }
}

/**
 * The machine called by a template of the fabric room, or by a GPU in its usual node, and a number of nodes:
 * `nd-h100-v5:64`, `gb200-nvl72:18`, `H100:8`.
 */
export function machineByTemplate(text: string): Result<Machine, string> {
  const match = /^(.+):(\d+)$/.exec(text.trim())
  const nodes = Number(match?.[2])
  if (!match || nodes < 1)
    return refuse(`"${text}" is not a cluster; write TEMPLATE:NODES, for example nd-h100-v5:64`)
  const name = match[1]!
  const template = clusterTemplate(name)
  const gpu = gpuByName(template?.node.gpuModel ?? name)
  if (!gpu.ok) {
    return refuse(
      `no node type is called "${name}"; known are ${CLUSTER_TEMPLATES.map((known) => known.name).join(', ')}, or a GPU: ${gpuNames().join(', ')}`,
    )
  }
  const perNode = template?.node.gpuCount ?? gpu.value.gpusPerNode
  return ok(machineOf(gpu.value, nodes * perNode, template ? linksOf(template) : {}))
}

function linksOf({ levels, node, fabric }: ClusterTemplate): Partial<Machine> {
  const nvlink = levels.find(({ level }) => level === 'nvlink')
  return {
    gpusPerNode: node.gpuCount,
    nvlinkDomain: (nvlink?.holds ?? 1) * node.gpuCount,
    nicBandwidth: fabric.nodeBytesPerSecond / node.gpuCount,
  }
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .replace(/gb$/, '')
}
