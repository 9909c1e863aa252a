import { taskCount } from '../../model/index.ts'
import { lossAt } from '../fleet/loss.ts'
import type { Run, RunEnd } from '../fleet/run.ts'

/** Of all its steps, a program writes about so many lines. */
const LINES = 200

/** What a task of the settled run would have written so far; with time it only grows. Text is ASCII. */
export function taskLog(run: Run, task: number, ended?: RunEnd['how']): string {
  const { behaviour, order } = run
  const tasks = taskCount(order.program, order.allocation)
  const lines = [
    `[twin] attempt ${order.number} of ${order.name}: task ${task} of ${tasks}`,
    ...order.program.run.map((command) => `[twin] would run: ${command}`),
  ]
  if (run.state === 'starting' && !ended) return text(lines)
  if (order.needsPort) lines.push('[twin] model loaded, answering')
  const { training, workUs } = behaviour
  if (training && workUs !== undefined) {
    const last = Math.floor(run.doneUs / training.stepUs)
    const first = Math.floor(run.resumedUs / training.stepUs)
    if (first > 0) lines.push(`resumed from checkpoint at step ${first}`)
    const every = Math.max(1, Math.ceil(workUs / training.stepUs / LINES))
    const tokensPerSecond = Math.round((training.tokensPerStep * 1e6) / training.stepUs)
    for (let step = first - (first % every) + every; step <= last; step += every) {
      const loss = lossAt(training, step).toFixed(4)
      lines.push(
        `step ${step} loss ${loss} tokens/s ${tokensPerSecond} step_s ${(training.stepUs / 1e6).toFixed(3)}`,
      )
    }
  }
  if (ended === 'stopped') lines.push('[twin] told to end')
  if (ended === 'failed') lines.push(behaviour.fails?.logTail ?? '[twin] ended by a failure of the machine')
  return text(lines)
}

function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}
