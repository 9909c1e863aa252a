import type { NodeId } from '../../base/index.ts'
import { id } from '../../base/index.ts'
import type { NodeDescription } from '../../model/index.ts'
import { gpuMemoryBytes, parseGpuGres } from './gres.ts'
import type { SlurmNode } from './transport.ts'

/** Reasons that begin so were given by Banyan itself when a person took a node out of use with it. */
export const OWN_REASON = 'banyan: '

/** States in which Slurm starts nothing new on a node, in the order in which they are named. */
const OUT_OF_USE: Readonly<Record<string, string>> = {
  DOWN: 'is down',
  FAIL: 'has failed',
  FAILING: 'is failing',
  DRAIN: 'is drained',
  DRAINED: 'is drained',
  DRAINING: 'is drained',
  NOT_RESPONDING: 'does not respond to Slurm’s controller',
  NO_RESPOND: 'does not respond to Slurm’s controller',
  RESERVED: 'is kept by a reservation in Slurm',
  MAINT: 'is under maintenance',
  MAINTENANCE: 'is under maintenance',
  REBOOT_ISSUED: 'is being rebooted',
  REBOOT_REQUESTED: 'is to be rebooted',
  POWERED_DOWN: 'is powered down',
  POWERING_DOWN: 'is powering down',
  POWER_DOWN: 'is powering down',
  FUTURE: 'is not there yet',
  UNKNOWN: 'has not been seen by Slurm yet',
  INVALID_REG: 'registered with another hardware than slurm.conf says',
}

/** The node as Banyan counts it: its GPUs, or a slot for each CPU where it has none. */
export function describeNode(node: SlurmNode, domains: readonly string[]): NodeDescription {
  const gpus = parseGpuGres(node.gres)
  return {
    id: id<NodeId>(node.name),
    domains,
    gpuModel: gpus ? modelOf(gpus.type) : 'slot',
    gpuCount: gpus ? gpus.count : node.cpus,
    gpuMemoryBytes: gpus ? gpuMemoryBytes(gpus.type) : 0,
    cpuCount: node.cpus,
    memoryBytes: node.memoryMib * 2 ** 20,
    nicCount: 0,
    address: node.address,
  }
}

/** Why nothing new can run on the node; undefined when something can. */
export function troubleOf({ states, reason }: SlurmNode): string | undefined {
  if (reason.startsWith(OWN_REASON) && !states.some((state) => /DOWN|FAIL|RESPOND/.test(state)))
    return undefined
  const found = Object.keys(OUT_OF_USE).find((state) => states.includes(state))
  if (found === undefined) return undefined
  const words = reason.replace(/\s*\[[^\]]*\]$/, '')
  return `${OUT_OF_USE[found]}${words === '' || words === 'none' ? '' : `: ${words}`}`
}

/** CPUs and memory that go with so many of a node's GPUs. */
export function shareOf(
  node: SlurmNode,
  gpus: number,
): { readonly cpus: number; readonly memoryMib: number } {
  const count = parseGpuGres(node.gres)?.count ?? node.cpus
  const share = count === 0 ? 1 : gpus / count
  return {
    cpus: Math.max(1, Math.floor(node.cpus * share)),
    memoryMib: Math.max(1, Math.floor(node.memoryMib * share)),
  }
}

/** GPUs of the node that jobs which are not Banyan's keep from it, given how many its own jobs hold there. */
export function foreignGpus(node: SlurmNode, ownGpus: number): number {
  const gpus = parseGpuGres(node.gres)
  const total = gpus?.count ?? node.cpus
  const own = shareOf(node, ownGpus)
  const usedGpus = gpus ? (parseGpuGres(node.gresUsed)?.count ?? 0) : 0
  // GPUs whose CPUs or memory somebody else has are of no use either.
  const one = shareOf(node, 1)
  const ownCpus = ownGpus === 0 ? 0 : own.cpus
  const ownMemory = ownGpus === 0 ? 0 : own.memoryMib
  const lostToCpus = Math.ceil(Math.max(0, node.cpusUsed - ownCpus) / one.cpus)
  const lostToMemory = Math.ceil(Math.max(0, node.memoryMibUsed - ownMemory) / one.memoryMib)
  const lost = Math.max(usedGpus - ownGpus, lostToCpus, lostToMemory, 0)
  return Math.min(lost, Math.max(0, total - ownGpus))
}

function modelOf(type: string): string {
  if (type === '') return 'gpu'
  return type.replace(/^nvidia[_-]/i, '').toUpperCase()
}
