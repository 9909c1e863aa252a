import type { ForecastScore } from '../api/index.ts'
import type { Workload } from '../model/index.ts'
import { maySee } from '../model/index.ts'
import { type ScoredForecast, scoreForecasts } from '../scheduler/index.ts'
import type { CallContext } from './context.ts'

/** How many of the newest workloads are looked at. */
const SAMPLE = 1000

/** How the recorded forecasts of the newest workloads that the caller may see compare with their first starts. */
export async function forecastScore(context: CallContext): Promise<ForecastScore> {
  const { store, ledger, caller } = context
  const organisation = caller.user.role === 'operator' ? {} : { organisation: caller.user.organisation }
  const page = await store.workloads({ ...organisation, limit: SAMPLE })
  const records: ScoredForecast[] = []
  for (const stored of page.items) {
    const workload: Workload = ledger.state.workloads.get(stored.id) ?? stored
    const { forecast, firstStartedAt } = workload
    if (!forecast || firstStartedAt === undefined || !maySee(caller.user, workload.owner)) continue
    records.push({ p50At: forecast.p50At, p90At: forecast.p90At, startedAt: firstStartedAt })
  }
  const { count, withinP90, medianBiasMs, medianErrorMs } = scoreForecasts(records)
  return {
    forecasts: count,
    ...(withinP90 !== undefined && { withinP90Share: withinP90 }),
    ...(medianBiasMs !== undefined && { medianErrorMs: medianBiasMs }),
    ...(medianErrorMs !== undefined && { medianAbsoluteErrorMs: medianErrorMs }),
  }
}
