import type { WorkloadId } from '../../base/index.ts'
import type { StartForecast } from '../../model/index.ts'
import type { Rejection } from '../effect.ts'
import type { Recorder } from '../recorder.ts'

/** Keeps the first forecast of each workload that still waits for its first start, so that it can be scored. */
export function recordForecasts(
  recorder: Recorder,
  forecasts: ReadonlyMap<WorkloadId, StartForecast>,
): Rejection | undefined {
  for (const [workload, forecast] of forecasts) {
    const waiting = recorder.state.workloads.get(workload)
    if (waiting?.state !== 'queued' || waiting.forecast || waiting.attemptCount > 0) continue
    recorder.emit({ kind: 'start-forecast', workload, forecast })
  }
  return undefined
}
