import { BrokenInvariant } from '../../base/index.ts'
import { World } from '../world/world.ts'
import { CANARIES, type CanaryName } from './canaries.ts'
import { Checkers } from './checkers.ts'
import { type ChaosSetup, chaosSetup } from './draw.ts'
import type { Finding } from './finding.ts'
import type { ChaosOptions } from './options.ts'

/** What came of one seed. */
export interface ChaosResult {
  readonly options: ChaosOptions
  readonly findings: readonly Finding[]
  readonly hash: string
  readonly steps: number
  readonly events: number
  /** Crashes, evictions and the like that happened, so that one sees what was tried. */
  readonly crashes: number
}

/** Steps between two looks at whether something was found. */
const STEPS_BETWEEN_LOOKS = 64
/** A world of this size that is not at rest after so many steps does the same over and over. */
const MOST_STEPS = 100_000

/**
 * One seed: options drawn from it, a safety phase with all faults, healing, a liveness phase in which all feasible
 * work must end, and then the same once more, which must take the same steps.
 */
export function runChaos(
  seed: number,
  canary?: CanaryName,
  change?: (setup: ChaosSetup) => ChaosSetup,
): ChaosResult {
  const drawn = chaosSetup(seed)
  const setup = change ? change(drawn) : drawn
  const first = play(setup, canary)
  if (first.findings.length > 0) return first
  const second = play(setup, canary)
  if (second.hash === first.hash) return first
  const detail = `the same seed took other steps: hash ${first.hash}, then ${second.hash}`
  return { ...first, findings: [{ rule: 'S10', atMs: 0, detail }] }
}

function play({ options, setup, infeasible }: ChaosSetup, canary: CanaryName | undefined): ChaosResult {
  const checkers = new Checkers(infeasible)
  let crashes = 0
  const counter = { onRestart: () => void crashes++ }
  const observers = [...(canary ? [CANARIES[canary]()] : []), checkers, counter]
  const world = new World(setup, observers)
  const findings: Finding[] = []
  try {
    while (
      checkers.findings.length === 0 &&
      world.stepCount < MOST_STEPS &&
      world.run(STEPS_BETWEEN_LOOKS) === STEPS_BETWEEN_LOOKS
    );
    if (world.stepCount >= MOST_STEPS)
      findings.push({ rule: 'live', atMs: world.nowMs, detail: `no rest after ${MOST_STEPS} steps` })
    else checkers.atEnd(world)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const rule = error instanceof BrokenInvariant ? 'assertion' : 'exception'
    const where =
      error.stack
        ?.split('\n')
        .slice(1, 5)
        .map((line) => line.trim())
        .join(' < ') ?? ''
    findings.push({ rule, atMs: world.nowMs, detail: `${error.message} (${where})` })
  }
  return {
    options,
    findings: [...checkers.findings, ...findings],
    hash: world.hash.digest(),
    steps: world.stepCount,
    events: world.eventCount,
    crashes,
  }
}
