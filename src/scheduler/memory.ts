import { assert } from '../base/index.ts'
import type { Machine } from './machine.ts'
import type { ClockRow, UsageRow } from './queue-tree.ts'
import type { MixRow } from './request-mix.ts'
import type { RunsRow } from './run-history.ts'

/** One thing that the machine remembers of the past, as plain data; what is written anew when it has changed. */
export type MemoryRow = ClockRow | UsageRow | RunsRow | MixRow

/** All that the machine remembers, by the names of the rows. */
export function memoryRows({ queues, history, fleet }: Machine): Map<string, MemoryRow> {
  return new Map<string, MemoryRow>([...queues.rows(), ...history.rows(), ...fleet.mix.rows()])
}

/** What has changed of it since it was last asked; without a row, what is remembered no more. */
export function takeMemoryChanges({ queues, history, fleet }: Machine): Map<string, MemoryRow | undefined> {
  return new Map<string, MemoryRow | undefined>([
    ...queues.takeChanges(),
    ...history.takeChanges(),
    ...fleet.mix.takeChanges(),
  ])
}

/** For a machine in which nothing has been started yet. */
export function loadMemory({ queues, history, fleet }: Machine, rows: Iterable<MemoryRow>): void {
  assert(queues.heldMilli === 0, 'what is remembered is loaded before anything is started')
  for (const row of rows) {
    if (row.kind === 'runs') history.load(row)
    else if (row.kind === 'mix') fleet.mix.load(row)
    else queues.load(row)
  }
}
