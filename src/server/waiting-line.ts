import type { WaitingView } from '../api/index.ts'
import { maySee } from '../model/index.ts'
import { type Explanation, explainAll } from '../scheduler/index.ts'
import type { CallContext } from './context.ts'
import { redact, withForecast } from './explaining.ts'
import type { Ledger } from './ledger.ts'
import { workloadView } from './views.ts'

/** The line is looked at by many at once: one pass serves all who ask within this time. */
const KEPT_MS = 2_000

interface Line {
  readonly sequence: number
  readonly madeAt: number
  readonly explanations: readonly Explanation[]
}

const lines = new WeakMap<Ledger, Line>()

/** The gangs that wait and that the caller may see, each with its place and why it does not start now (S9). */
export function waitingLine(context: CallContext): WaitingView[] {
  const { ledger, caller } = context
  return explanationsOf(context).flatMap((explanation) => {
    const workload = ledger.state.workloads.get(explanation.workload)
    if (!workload || !maySee(caller.user, workload.owner)) return []
    const { position, replica, blockers } = redact(context, explanation)
    const { id, spec, owner, queue, submittedAt, gpus, forecast } = withForecast(
      context,
      workloadView(ledger.state, workload),
    )
    const { name, type, priority } = spec
    return {
      position,
      workload: id,
      replica,
      name,
      type,
      priority,
      owner,
      queue,
      gpus,
      submittedAt,
      blockers,
      ...(forecast ? { forecast } : {}),
    }
  })
}

function explanationsOf({ ledger, clock }: CallContext): readonly Explanation[] {
  const { lastSequence, derived } = ledger.state
  const before = lines.get(ledger)
  const isFresh = before && (before.sequence === lastSequence || performance.now() - before.madeAt < KEPT_MS)
  if (isFresh) return before.explanations
  const explanations = explainAll(derived.machine, clock.now())
  lines.set(ledger, { sequence: lastSequence, madeAt: performance.now(), explanations })
  return explanations
}
