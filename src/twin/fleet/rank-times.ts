import type { NodeId } from '../../base/index.ts'
import type { RankTimes } from '../../model/index.ts'
import type { TimeUs } from '../kernel/agenda.ts'
import { noise } from './loss.ts'
import type { Run } from './run.ts'
import { milliseconds } from './run-facts.ts'

/** As many reports as the engines take their medians of. */
const REPORTS = 16
/** Of a step, what a gang spends in the exchange unless its traffic says. */
const EXCHANGE_SHARE = 0.1

/**
 * How long each rank of a settled gang computes in a step before it waits for the others, as its program would tell it:
 * longer on a slow node. Undefined for a gang that has told no step of this attempt.
 */
export function rankTimesOf(
  run: Run,
  speedOfNode: (node: NodeId) => number,
  now: TimeUs,
): RankTimes | undefined {
  const { training, traffic } = run.behaviour
  if (!training || run.state !== 'running') return undefined
  const step = Math.floor(run.doneUs / training.stepUs)
  const reports = Math.min(REPORTS, step - Math.floor(run.resumedUs / training.stepUs))
  if (reports < 1) return undefined
  const { program, allocation } = run.order
  const ranks = allocation.parts.flatMap(({ node, gpus }) =>
    Array.from({ length: program.tasksPer === 'gpu' ? gpus.length : 1 }, () => speedOfNode(node)),
  )
  const stepMs = training.stepUs / 1000 / run.scale
  const computeMs = ranks.map((speed, rank) => {
    const alone = stepMs * (1 - (traffic?.share ?? EXCHANGE_SHARE)) * (1 + noise(rank) / 100)
    return Math.round((10 * alone) / speed) / 10
  })
  return { at: milliseconds(now), step, reports, computeMs, stepMs: Math.round(stepMs / run.speed) }
}
