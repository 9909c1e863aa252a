import { describe, expect, it } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../base/index.ts'
import { CANARIES, type CanaryName } from './canaries.ts'
import { type ChaosSetup, worldOf } from './draw.ts'
import { runChaos } from './run-chaos.ts'

/** Seeds in which each bug has something to break. */
const SEEDS = [1276, 1085, 1052, 1171, ...Array.from({ length: 40 }, (_, i) => 1000 + i)]

/** Seeds that found something once: a bug of the core, of the twin, or of a checker. */
const FOUND = [18, 30, 40, 107, 114, 116, 144, 209, 2427, 3099, 3919]
/** Those that did before others used the nodes too, nodes changed and arrays were submitted. */
const FOUND_ALONE = [
  129, 135, 159, 162, 165, 173, 205, 275, 281, 398, 405, 446, 654, 848, 2736, 4049, 5900, 8526, 8759,
]
const FIRST = Array.from({ length: 28 }, (_, seed) => seed)

describe('chaos', () => {
  it.each([...FOUND, ...FIRST])('[T30] finds nothing in seed %i', (seed) => {
    expect(runChaos(seed).findings).toEqual([])
  })

  it.each(FOUND_ALONE)(
    '[T30] finds nothing in seed %i where Banyan is alone on nodes that stay the same',
    (seed) => {
      expect(runChaos(seed, undefined, alone).findings).toEqual([])
    },
  )
})

describe('canaries', () => {
  it.each(Object.keys(CANARIES) as CanaryName[])('[T18] a bug against %s is found', (canary) => {
    const found = SEEDS.some((seed) =>
      runChaos(seed, canary).findings.some(
        ({ rule }) => rule === canary || (canary === 'S1' && rule === 'S2'),
      ),
    )
    expect(found).toBe(true)
  })

  it('[T18] a scheduler that reclaims nothing is found out by S8', () => {
    const found = SEEDS.some((seed) =>
      runChaos(seed, undefined, withoutReclaim).findings.some(({ rule }) => rule === 'S8'),
    )
    expect(found).toBe(true)
  })
})

function alone({ options }: ChaosSetup): ChaosSetup {
  const { foreign, changes, ...faults } = options.faults
  return worldOf({ ...options, arrays: 0, faults })
}

/** One tenant borrows everything for long, and its guaranteed owner waits. */
function withoutReclaim({ options, setup, infeasible }: ChaosSetup): ChaosSetup {
  return {
    options,
    infeasible,
    setup: {
      ...setup,
      policy: { ...setup.policy, reclaim: false, preempt: false, reclaimGraceMs: MINUTE_MS, minimumRunMs: 0 },
      jobs: setup.jobs.map((job) => ({
        ...job,
        behaviour:
          job.behaviour.workUs === undefined
            ? job.behaviour
            : { ...job.behaviour, workUs: 10 * HOUR_MS * 1000 },
      })),
    },
  }
}
