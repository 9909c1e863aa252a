import type { ControlState, Document, StoredState } from '../../control/index.ts'
import { serialiseState } from '../../control/index.ts'
import type { Attempt, Workload } from '../../model/index.ts'

/** The state as a store would hold it: plain data that shares nothing with the state. */
export function storedStateOf(state: ControlState): StoredState {
  const { lastSequence, workloads, attempts, ...collections } = JSON.parse(serialiseState(state)) as {
    lastSequence: number
    workloads: Record<string, Workload>
    attempts: Record<string, Attempt>
  } & Record<string, Record<string, unknown>>
  const documents: Document[] = []
  for (const [collection, rows] of Object.entries(collections)) {
    for (const [id, value] of Object.entries(rows as Record<string, unknown>))
      documents.push({ collection, id, value })
  }
  return { lastSequence, documents, workloads: Object.values(workloads), attempts: Object.values(attempts) }
}
