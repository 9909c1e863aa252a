import { present } from '../../base/index.ts'
import type { EngineFact, TaskExit } from '../../control/index.ts'
import type { TimeUs } from '../kernel/agenda.ts'
import { lossAt } from './loss.ts'
import type { Run } from './run.ts'

/** Programs that say nothing of their training tell progress in steps of a second at full speed. */
const STEP_US = 1_000_000

/** That all tasks of the run are there; a replica answers at the address. */
export function runningFact({ attempt, order }: Run, now: TimeUs, replicaAddress?: string): EngineFact {
  const address = order.needsPort && replicaAddress !== undefined ? { address: replicaAddress } : {}
  return { kind: 'attempt-running', attempt, at: milliseconds(now), ...address }
}

/** How far the settled run is, as its program would tell it. */
export function progressOf(run: Run, now: TimeUs): EngineFact {
  const { workUs, training } = run.behaviour
  const stepUs = training?.stepUs ?? STEP_US
  const step = Math.floor(run.doneUs / stepUs)
  const first = Math.floor(run.resumedUs / stepUs) + 1
  const told = training && step >= first
  return {
    kind: 'attempt-progress',
    attempt: run.attempt,
    progress: {
      at: milliseconds(now),
      step,
      ...(workUs !== undefined ? { totalSteps: Math.ceil(workUs / stepUs) } : {}),
      ...(told ? { loss: lossAt(training, step), tokens: step * training.tokensPerStep } : {}),
    },
    ...(run.savedAt !== undefined
      ? {
          checkpoint: {
            at: milliseconds(run.savedAt),
            step: Math.floor(run.savedUs / stepUs),
            path: `twin/${run.order.workload}`,
          },
        }
      : {}),
    ...(told ? { firstLoss: lossAt(training, first) } : {}),
  }
}

/** How the gang's first task ends at that time with nothing wrong: by itself, or stopped. */
export function exitOf(run: Run, now: TimeUs, how: 'itself' | 'stopped'): TaskExit {
  const node = present(run.order.allocation.parts[0]?.node, 'first node of', run.attempt)
  const at = milliseconds(now)
  return how === 'itself'
    ? { task: 0, node, at, exitCode: 0, logTail: '', stopped: false }
    : { task: 0, node, at, signal: 'SIGTERM', logTail: '', stopped: true }
}

/** Times of facts are whole milliseconds, as everywhere outside the kernel. */
export function milliseconds(us: TimeUs): number {
  return Math.floor(us / 1000)
}
