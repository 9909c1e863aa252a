import type { TimeMs } from '../../base/index.ts'
import type { World } from '../world/world.ts'

/** A rule that was seen broken. */
export interface Finding {
  /**
   * `S1` to `S10`; `C1`, `P3`, `P6`, `P7`, `P10` or `Q1` of the scheduler's rules; `C20` or `C28` of control's; `array` when a
   * submission was taken in part; `gone` when an attempt stays on record on GPUs that are gone; `live` when work neither ended nor is explained; `assertion` or `exception` when the core
   * threw.
   */
  readonly rule: string
  readonly atMs: TimeMs
  readonly detail: string
}

export type Find = (rule: string, world: World, detail: string) => void
