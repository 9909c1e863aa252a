import { allocatedGpus } from '../../model/index.ts'
import type { Run, RunEnd } from '../fleet/run.ts'

/** Where the GPU-time of attempts went; all in GPU-microseconds. */
export interface WasteSums {
  useful: number
  firstStart: number
  restart: number
  saving: number
  lostToFailure: number
  lostToPreemption: number
  idleHeld: number
  stopping: number
  straggling: number
  hanging: number
}

/** Adds up, run by run as they end, what of the time they held went into work that counts. */
export class WasteMeter {
  readonly sums: WasteSums = {
    useful: 0,
    firstStart: 0,
    restart: 0,
    saving: 0,
    lostToFailure: 0,
    lostToPreemption: 0,
    idleHeld: 0,
    stopping: 0,
    straggling: 0,
    hanging: 0,
  }

  take(run: Run, { at, how }: RunEnd): void {
    const gpus = allocatedGpus(run.order.allocation)
    const ran = run.state !== 'starting'
    const starting = ran ? run.behaviour.startUs : at - run.launchedAt
    const { sums } = this
    sums[run.order.number === 1 ? 'firstStart' : 'restart'] += gpus * starting
    if (!ran) return
    // What runs until it is told to end, as replicas do, has no work that could be lost.
    const lost = how === 'done' || run.behaviour.workUs === undefined ? 0 : run.doneUs - run.savedUs
    // Work is counted at the size that was asked for, GPU-time at the one that it had.
    const kept = (gpus * (run.doneUs - run.resumedUs - lost)) / run.scale
    const idle = kept * (1 - (run.behaviour.hold?.used ?? 1))
    sums.useful += kept - idle
    sums.idleHeld += idle
    sums[how === 'stopped' ? 'lostToPreemption' : 'lostToFailure'] += (gpus * lost) / run.scale
    sums.saving += gpus * run.savingUs
    sums.straggling += gpus * run.slowedUs
    sums.hanging += gpus * run.hungUs
    sums.stopping += gpus * (at - run.settledAt)
  }
}

/** One line of the ledger. */
export interface WasteLine {
  readonly cause: string
  readonly meaning: string
  readonly gpuHours: number
  readonly share: number
  readonly money: number
}

const MEANINGS = {
  useful: ['useful', 'work that was computed and kept'],
  fragmentation: ['queue fragmentation', 'free GPUs while gangs waited that could have used as many'],
  idle: ['no demand', 'free GPUs that nobody waited for'],
  down: ['down', 'GPUs of nodes under repair'],
  firstStart: ['idle-held at start', 'held while an attempt was first starting'],
  restart: ['restart', 'held while a later attempt was starting'],
  saving: ['saving', 'held while a checkpoint was written'],
  lostToFailure: ['lost since checkpoint', 'work that a failure threw away'],
  lostToPreemption: ['preemption', 'work that an eviction threw away'],
  idleHeld: ['idle-held', 'machines in the hands of people, on which nothing ran'],
  stopping: ['stopping', 'held between the order to end and the end'],
  straggling: ['straggler', 'lost to slow nodes and shared links: against gangs alone on sound nodes'],
  hanging: ['hanging', 'held by attempts that did nothing until somebody noticed'],
} as const

/** The ledger of a fleet of `gpuCount` over `spanMs`, largest first; its lines add up to the whole but for rounding and runs still open. */
export function wasteLedger(
  sums: WasteSums,
  fleet: { downGpuMs: number; freeWhileWaitedForGpuMs: number; heldGpuMs: number },
  gpuCount: number,
  spanMs: number,
  pricePerGpuHour: number,
): WasteLine[] {
  const totalMs = gpuCount * spanMs
  const byCause: Record<keyof typeof MEANINGS, number> = {
    fragmentation: fleet.freeWhileWaitedForGpuMs,
    down: fleet.downGpuMs,
    idle: Math.max(0, totalMs - fleet.heldGpuMs - fleet.downGpuMs - fleet.freeWhileWaitedForGpuMs),
    useful: 0,
    firstStart: 0,
    restart: 0,
    saving: 0,
    lostToFailure: 0,
    lostToPreemption: 0,
    idleHeld: 0,
    stopping: 0,
    straggling: 0,
    hanging: 0,
  }
  for (const [cause, gpuUs] of Object.entries(sums)) byCause[cause as keyof WasteSums] = gpuUs / 1000
  return Object.entries(byCause)
    .map(([cause, gpuMs]) => {
      const [name, meaning] = MEANINGS[cause as keyof typeof MEANINGS]
      const gpuHours = gpuMs / 3_600_000
      return {
        cause: name,
        meaning,
        gpuHours,
        share: totalMs > 0 ? gpuMs / totalMs : 0,
        money: gpuHours * pricePerGpuHour,
      }
    })
    .sort((a, b) => b.gpuHours - a.gpuHours)
}
