import type { RandomStream } from '../../base/index.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type { Policy } from '../../model/index.ts'
import type { ControlFaultPlan } from '../faults/control-faults.ts'
import type { FaultPlan } from '../faults/fault-injector.ts'
import { Streams } from '../kernel/streams.ts'
import { drawPolicy } from './draw-policy.ts'

/** Everything that a seed decides, small enough to be printed. */
export interface ChaosOptions {
  readonly seed: number
  readonly blocks: number
  readonly nodesPerBlock: number
  readonly gpusPerNode: number
  /** 2: the last block has GPUs of another model. */
  readonly gpuModels: 1 | 2
  readonly jobs: number
  readonly safetyHours: number
  readonly policy: Policy
  readonly quotas: QuotaOptions
  readonly faults: FaultPlan
  readonly control: ControlFaultPlan
  /** What users and operators do: stops, scalings, nodes taken out of use and given back. */
  readonly actions: number
  /** Calendar windows that are made. */
  readonly windows: number
  /** Changes of policy and quotas. */
  readonly edits: number
  /** Nodes that get another name. */
  readonly renames: number
  /** Jobs that are arrays, each submitted as one. */
  readonly arrays: number
}

/** What the tenants are promised and where they end; 0 is nothing promised, no limit. */
export interface QuotaOptions {
  readonly guaranteedGpus: number
  readonly guaranteedBlocks: number
  readonly lendable: boolean
  readonly limitGpus: number
  readonly limitGpusPerUser: number
  readonly budgetGpuHours: number
}

/** The options of a seed: sizes, policy and which faults come how often, each from mild to absurd. */
export function drawOptions(seed: number): ChaosOptions {
  const streams = new Streams(seed)
  const random = streams.named('chaos/options')
  const oneOf = <Item>(items: readonly Item[]): Item => items[random.below(items.length)]!
  const sometimes = (share: number, value: number) => (random.next() < share ? value : 0)
  const blocks = 1 + random.below(3)
  return {
    seed,
    blocks,
    nodesPerBlock: 2 + random.below(4),
    gpusPerNode: oneOf([1, 2, 4, 8]),
    gpuModels: blocks > 1 && random.next() < 0.2 ? 2 : 1,
    jobs: 5 + random.below(40),
    safetyHours: 2 + random.below(22),
    policy: drawPolicy(random),
    quotas: {
      guaranteedGpus: random.below(9),
      guaranteedBlocks: blocks > 1 ? sometimes(0.2, 1) : 0,
      lendable: random.next() < 0.8,
      limitGpus: sometimes(0.3, 1 + random.below(12)),
      limitGpusPerUser: sometimes(0.3, 1 + random.below(6)),
      budgetGpuHours: sometimes(0.2, 1 + random.below(50)),
    },
    faults: {
      rates: oneOf([[], ['llama3'], ['llama3', 'hpn'], ['rsc1']]),
      scale: oneOf([100, 1_000, 5_000]),
      ...(random.next() < 0.5 ? { lemons: { nodes: 0.2, failures: 0.7 } } : {}),
      ...(random.next() < 0.5
        ? { stragglers: { perThousandNodeDays: 500, speed: 0.5, lastsMs: HOUR_MS } }
        : {}),
      ...(random.next() < 0.3
        ? { departures: { perThousandNodeDays: oneOf([200, 2000]), lastsMs: HOUR_MS } }
        : {}),
      ...drawSpells('foreign', streams.named('chaos/foreign')),
      ...drawSpells('changes', streams.named('chaos/changes')),
    },
    control: {
      crashesPerDay: sometimes(0.7, oneOf([4, 40, 200])),
      restartMs: oneOf([SECOND_MS, MINUTE_MS, 10 * MINUTE_MS]),
      lostContactPerDay: sometimes(0.6, oneOf([4, 40])),
      lostContactMs: oneOf([10 * SECOND_MS, 10 * MINUTE_MS]),
      storeStallsPerDay: sometimes(0.5, oneOf([10, 100])),
      storeStallMs: oneOf([SECOND_MS, MINUTE_MS]),
      lateShare: sometimes(0.5, 0.2),
      lateMs: oneOf([SECOND_MS, 5 * MINUTE_MS]),
      duplicateShare: sometimes(0.5, 0.2),
    },
    actions: random.below(30),
    windows: sometimes(0.5, random.below(6)),
    edits: sometimes(0.4, 1 + random.below(6)),
    renames: sometimes(0.3, 1 + random.below(4)),
    arrays: drawArrays(streams.named('chaos/arrays')),
  }
}

function drawSpells(name: 'foreign' | 'changes', random: RandomStream): Partial<FaultPlan> {
  if (random.next() < 0.6) return {}
  const perThousandNodeDays = [1_000, 10_000][random.below(2)]!
  const lastsMs = [10 * MINUTE_MS, 2 * HOUR_MS][random.below(2)]!
  return { [name]: { perThousandNodeDays, lastsMs } }
}

function drawArrays(random: RandomStream): number {
  return random.next() < 0.6 ? 0 : 1 + random.below(3)
}
