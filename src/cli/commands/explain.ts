import type { Explained } from '../../api/index.ts'
import { isFinal, type WorkloadState } from '../../model/index.ts'
import type { Cli } from '../cli.ts'
import { explanationLines } from '../render/explanation.ts'
import { fromNow, painted } from '../render/values.ts'
import { forecastText } from '../render/workload.ts'

/** Why a workload waits: every blocker, who holds what is missing, what was tried, and when it will start. */
export async function explain(cli: Cli, id: string): Promise<void> {
  const client = await cli.client()
  const explained = await client.explainWorkload({ id })
  cli.print(explained, () => lines(cli, explained).join('\n'))
}

function lines(
  cli: Cli,
  { workload, name, state, stateReason, explanations, forecast, notBefore }: Explained,
): string[] {
  const now = cli.now()
  const reason = stateReason === '' ? '' : `: ${stateReason}`
  const is = isFinal(state as WorkloadState) ? (state === 'cancelled' ? 'was' : 'has') : 'is'
  const head = `${cli.paint.bold(workload)} (${name}) ${is} ${painted(cli, state)}${reason}`
  if (explanations.length === 0) return [head]
  const parts = explanations.flatMap((explanation) => {
    const replica = explanations.length > 1 ? `replica ${explanation.replica}, ` : ''
    return [`${replica}place ${explanation.position} of the queue`, ...explanationLines(cli, explanation)]
  })
  const wait = notBefore !== undefined && notBefore > now ? [`Not before ${fromNow(notBefore, now)}.`] : []
  return [head, ...parts, ...wait, ...(forecast ? [`It ${forecastText(forecast, now)}.`] : [])]
}
