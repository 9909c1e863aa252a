import type { ForecastScore } from '../api/index.ts'
import type { Workload } from '../model/index.ts'
import { maySee } from './caller.ts'
import type { CallContext } from './context.ts'

/** How many of the newest workloads are looked at. */
const SAMPLE = 1000

/** How the recorded forecasts of the newest workloads that the caller may see compare with their first starts. */
export async function forecastScore(context: CallContext): Promise<ForecastScore> {
  const { store, ledger, caller } = context
  const organisation = caller.user.role === 'operator' ? {} : { organisation: caller.user.organisation }
  const page = await store.workloads({ ...organisation, limit: SAMPLE })
  const errors: number[] = []
  let within = 0
  for (const stored of page.items) {
    const workload: Workload = ledger.state.workloads.get(stored.id) ?? stored
    const { forecast, firstStartedAt } = workload
    if (!forecast || firstStartedAt === undefined || !maySee(caller.user, workload.owner)) continue
    errors.push(firstStartedAt - forecast.p50At)
    if (firstStartedAt <= forecast.p90At) within++
  }
  if (errors.length === 0) return { forecasts: 0 }
  return {
    forecasts: errors.length,
    withinP90Share: within / errors.length,
    medianErrorMs: median(errors),
    medianAbsoluteErrorMs: median(errors.map(Math.abs)),
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}
