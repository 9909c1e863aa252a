import type { DurationMs } from '../../base/index.ts'
import type { Streams } from '../kernel/streams.ts'
import type { Scenario } from './scenario.ts'

/** What the next start costs, drawn evenly from the scenario's span. */
export function startCosts({ startCost: { fromMs, toMs } }: Scenario, streams: Streams): () => DurationMs {
  if (toMs === 0) return () => 0
  const random = streams.named('start-cost')
  return () => fromMs + random.below(toMs - fromMs + 1)
}
