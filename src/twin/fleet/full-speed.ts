import type { Speeds } from './simulated-engine.ts'

/** Every gang runs at full speed wherever it stands: what a trace of run times means. */
export const FULL_SPEED: Speeds = { enter: () => [], leave: () => [], speedOf: () => 1 }
