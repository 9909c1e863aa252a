import type { Resolved } from './calibration.ts'
import type { Machine } from './gpu.ts'

/** A group of ranks that talk to each other: how many, and how many of them share one NVLink domain. */
export interface Group {
  readonly ranks: number
  readonly together: number
}

/** The group of `ranks` ranks that stand `stride` GPUs apart, as laid out over NVLink domains. */
export function groupOf(ranks: number, stride: number, machine: Machine): Group {
  return { ranks, together: Math.max(1, Math.min(ranks, Math.floor(machine.nvlinkDomain / stride))) }
}

/** Bytes per second that each rank of a ring moves: NVLink inside a domain, the domain's share of network links outside. */
function ringBandwidth(group: Group, machine: Machine, constants: Resolved): number {
  const inside = machine.gpu.nvlinkBandwidth * constants.nvlink
  if (group.together >= group.ranks) return inside
  return Math.min(inside, group.together * machine.nicBandwidth * constants.network)
}

/**
 * Seconds to gather, or reduce and scatter, a buffer of `bytes` over a group: (n-1)/n of it passes each link of the ring
 * (Thakur, Rabenseifner, Gropp 2005, section 4.1), with a latency that grows with the group.
 * An all-reduce is one of each.
 */
export function ringSeconds(bytes: number, group: Group, machine: Machine, constants: Resolved): number {
  const { ranks } = group
  if (ranks <= 1 || bytes <= 0) return 0
  const outside = group.together < ranks
  const latency = constants.nvlinkLatency + (outside ? constants.networkLatency : 0)
  return (bytes * (ranks - 1)) / ranks / ringBandwidth(group, machine, constants) + latency * hops(ranks)
}

/** How latency grows: with each rank of a ring inside a node, with the depth of a tree beyond. */
function hops(ranks: number): number {
  return 1 + Math.min(ranks - 1, 7) / 6 + (ranks > 8 ? Math.log2(ranks / 8) / 4 : 0)
}

/**
 * Seconds for each rank to send `copies` copies of `bytes` to ranks drawn evenly. A token crosses the network once for each
 * other NVLink domain that it is drawn to and is copied inside by NVLink, both at once (DeepSeek-V3, arXiv 2412.19437, section 3.2.2).
 */
export function exchangeSeconds(
  bytes: number,
  copies: number,
  group: Group,
  machine: Machine,
  constants: Resolved,
): number {
  const { ranks, together } = group
  if (ranks <= 1) return 0
  const nvlink = machine.gpu.nvlinkBandwidth * constants.nvlink
  const inside = (bytes * copies * (ranks - 1)) / ranks / nvlink
  if (together >= ranks) return inside + constants.nvlinkLatency
  const domains = ranks / together
  const reached = (domains - 1) * (1 - (1 - 1 / domains) ** copies)
  return (
    Math.max(inside, (bytes * reached) / (machine.nicBandwidth * constants.network)) +
    constants.networkLatency
  )
}
