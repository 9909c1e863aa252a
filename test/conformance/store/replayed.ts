import type { Document } from '../../../src/control/index.ts'
import type { Workload } from '../../../src/model/index.ts'
import { aWorkload } from './stored-things.ts'

/**
 * The rows that the events after `from` up to `to` change, with their values at `to`, in the order in which a store
 * loads them. Each event writes or deletes one of a few documents and changes one workload, so every batch has its trace.
 */
export function replayed(from: number, to: number): { documents: Document[]; workloads: Workload[] } {
  const documents = new Map<string, Document>()
  const workloads = new Map<number, Workload>()
  for (let sequence = from + 1; sequence <= to; sequence++) {
    const id = `d${sequence % 7}`
    documents.set(id, { collection: 'test', id, ...(sequence % 11 === 0 ? {} : { value: { sequence } }) })
    const number = 1 + (sequence % 50)
    workloads.set(number, aWorkload(number, { stateReason: `event ${sequence}` }))
  }
  return {
    documents: [...documents.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    workloads: [...workloads.entries()].sort(([a], [b]) => a - b).map(([, workload]) => workload),
  }
}
