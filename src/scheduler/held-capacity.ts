import type { AttemptId } from '../base/index.ts'
import type { Fleet } from './fleet.ts'
import { type Footprint, footprintGpuMilli, WHOLE_GPU } from './footprint.ts'
import type { QueuedGang } from './gang.ts'
import type { Occupant } from './holding.ts'
import type { Hold } from './plan.ts'

/** A hold on record, with what of it is free now and therefore kept. */
export interface HeldCapacity {
  readonly hold: Hold
  readonly gang: QueuedGang
  /** The first counts all of the hold for its queue and stands on all its nodes; further ones keep shares of GPUs, CPU and memory. */
  occupants: readonly Occupant[]
}

/**
 * What of a hold's place, all of which `wanted` would take, is to be kept now: what is free of it, less what those that it waits for will give. That others may
 * have, also in the very plan that placed the hold.
 */
export function keptFor(
  { capacity, tree }: Fleet,
  live: ReadonlyMap<AttemptId, Occupant>,
  hold: Hold,
  wanted: Occupant,
): Occupant[] {
  const { gpuFree, cpuFree, memoryFree } = capacity
  const whole = wanted.footprint
  const { milli, cpuMilli, memoryMib } = whole
  const givers = hold.waitsFor.flatMap((attempt) => live.get(attempt)?.footprint ?? [])
  const nodes: number[] = []
  const gpus: number[][] = []
  const shares: Footprint[] = []
  whole.nodes.forEach((n, p) => {
    const kept: number[] = []
    for (const gpu of whole.gpus[p]!) {
      const free = gpuFree[tree.gpuStart[n]! + gpu]!
      const missing = milli - (milli < WHOLE_GPU ? givenOn(givers, n, gpu) : 0)
      if (free >= milli && missing === milli) kept.push(gpu)
      else if (free > 0 && missing > 0) shares.push(share(n, [gpu], Math.min(free, missing), 0, 0))
    }
    nodes.push(n)
    gpus.push(kept)
    const here = givers.filter((giver) => giver.nodes.includes(n))
    const cpu = here.reduce((left, giver) => left - giver.cpuMilli, cpuMilli)
    const memory = here.reduce((left, giver) => left - giver.memoryMib, memoryMib)
    const keptCpu = Math.max(0, Math.min(cpu, cpuFree[n]!))
    const keptMemory = Math.max(0, Math.min(memory, memoryFree[n]!))
    if (keptCpu > 0 || keptMemory > 0) shares.push(share(n, [], milli, keptCpu, keptMemory))
  })
  const main = { nodes, gpus, milli, cpuMilli: 0, memoryMib: 0 }
  return [
    { ...wanted, footprint: main, gpuMilli: footprintGpuMilli(whole) },
    ...shares.map((footprint) => ({ ...wanted, footprint, gpuMilli: 0 })),
  ]
}

function share(
  node: number,
  gpus: readonly number[],
  milli: number,
  cpuMilli: number,
  memoryMib: number,
): Footprint {
  return { nodes: [node], gpus: [gpus], milli, cpuMilli, memoryMib }
}

/** Thousandths of this GPU that they hold. */
function givenOn(givers: readonly Footprint[], node: number, gpu: number): number {
  let given = 0
  for (const { nodes, gpus, milli } of givers) {
    const p = nodes.indexOf(node)
    if (p >= 0 && gpus[p]!.includes(gpu)) given += milli
  }
  return given
}
