import type { AttemptId } from '../../base/index.ts'
import type { LaunchOrder } from '../../control/index.ts'
import type { NodeDescription } from '../../model/index.ts'
import type { Ticket, TimeUs } from '../kernel/agenda.ts'
import type { Behaviour } from './behaviour.ts'
import type { CrashExit, Run, RunEnd } from './run.ts'
import type { Speeds } from './speeds.ts'

/** What the fleet plans for itself, as data for the agenda. */
export type FleetOccurrence =
  | { readonly kind: 'run-started'; readonly attempt: AttemptId }
  | { readonly kind: 'run-done'; readonly attempt: AttemptId }
  | { readonly kind: 'run-saved'; readonly attempt: AttemptId }
  | { readonly kind: 'run-reports'; readonly attempt: AttemptId }
  | { readonly kind: 'run-stopped'; readonly attempt: AttemptId; readonly saved: boolean }
  | { readonly kind: 'hang-noticed'; readonly attempt: AttemptId; readonly exit: CrashExit }

/** Where the fleet's own occurrences go. */
export interface FleetAgenda {
  plan(at: TimeUs, what: FleetOccurrence): Ticket
  cancel(ticket: Ticket): void
}

export interface FleetOptions {
  readonly levels: readonly string[]
  readonly nodes: readonly NodeDescription[]
  readonly behaviourOf: (order: LaunchOrder) => Behaviour
  readonly speeds: Speeds
  /** Whether each checkpoint is told as it becomes durable, not only at the end of the attempt. */
  readonly tellSaves: boolean
  /** Whether programs tell how far they are: as they begin to run, after half a minute, and then each time they have run twice as long. Where no order goes by it, it only costs time. */
  readonly reports: boolean
  /** Where all replicas of served models answer; absent where nobody asks them. */
  readonly replicaAddress?: string
  /** Called with each run as it ends, before the fact of it is told. */
  readonly onEnd?: (run: Run, end: RunEnd) => void
}
