import { present } from '../../base/index.ts'
import type { FinalWorkloadState, Workload } from '../../model/index.ts'
import { SYSTEM } from '../../model/index.ts'
import type { Recorder } from '../recorder.ts'

/** Records the end of a workload and what it means for those that depend on it: released, or failed in turn. */
export function finish(
  recorder: Recorder,
  workload: Workload,
  state: FinalWorkloadState,
  reason: string,
): void {
  const dependents = recorder.state.derived.dependents.get(workload.id)
  recorder.emit({ kind: 'workload-finished', workload: workload.id, state, reason })
  if (!dependents) return
  for (const waiting of Array.from(dependents)) {
    if (state === 'succeeded') {
      recorder.emit({ kind: 'dependency-met', workload: waiting, on: workload.id }, SYSTEM)
    } else {
      const dependent = present(recorder.state.workloads.get(waiting), `workload ${waiting}`)
      finish(
        recorder,
        dependent,
        'failed',
        `${workload.id}, on which it depends, ${state === 'failed' ? 'failed' : 'was cancelled'}`,
      )
    }
  }
  recorder.state.derived.dependents.delete(workload.id)
}
