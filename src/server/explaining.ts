import type { Explained, ExplanationView, WorkloadView } from '../api/index.ts'
import type { ReservationId, WorkloadId } from '../base/index.ts'
import { id } from '../base/index.ts'
import { missingReplicas } from '../control/index.ts'
import type { StartForecast, Workload } from '../model/index.ts'
import { maySee } from '../model/index.ts'
import type { Explanation } from '../scheduler/index.ts'
import { explain } from '../scheduler/index.ts'
import type { CallContext } from './context.ts'
import { hangsOn } from './hangs-on.ts'
import { concerns } from './reservations.ts'

/** Identical replicas wait for the same reasons; so many of them are explained one by one. */
const REPLICAS_EXPLAINED = 4

/** Why a workload is where it is: for what waits, every blocker with counterfactuals, and when it will start. */
export function explainWorkload(context: CallContext, workload: Workload): Explained {
  const { ledger, clock } = context
  const live = ledger.state.workloads.get(workload.id)
  const replicas = live ? missingReplicas(ledger.state, live).slice(0, REPLICAS_EXPLAINED) : []
  const { machine } = ledger.state.derived
  const explanations = replicas.map((replica) =>
    redact(context, explain(machine, clock.now(), workload.id, replica)),
  )
  const { forecast } = forecastOf(context, workload.id)
  const reason = explanations[0] && hangsOn(explanations[0].blockers)
  return {
    workload: workload.id,
    name: workload.spec.name,
    state: (live ?? workload).state,
    stateReason: (live ?? workload).stateReason,
    explanations,
    ...(forecast && { forecast: { ...forecast, ...(reason !== undefined && { hangsOn: reason }) } }),
    ...(workload.notBefore > clock.now() ? { notBefore: workload.notBefore } : {}),
  }
}

/** What the reader may know of an explanation: work of other tenants stays in its numbers only (S9). */
export function redact(context: CallContext, explanation: Explanation): ExplanationView {
  return {
    ...explanation,
    blockers: explanation.blockers.map(({ windows, ...blocker }) => ({
      ...blocker,
      holders: blocker.holders.filter(({ workload }) => isVisible(context, workload)),
      ...(windows && { windows: windows.filter(({ id }) => isShown(context, id)) }),
    })),
    counterfactuals: explanation.counterfactuals.flatMap((counterfactual) => {
      const { change } = counterfactual
      if (change.kind === 'without-reservation' && !isShown(context, change.reservation)) return []
      if (change.kind !== 'evict-lower-priority') return [counterfactual]
      const workloads = change.workloads.filter((workload) => isVisible(context, workload))
      return [{ ...counterfactual, change: { ...change, workloads } }]
    }),
  }
}

function isShown({ ledger, caller }: CallContext, reservation: ReservationId): boolean {
  const known = ledger.state.reservations.get(reservation)
  return known !== undefined && concerns(ledger.state, caller.user, known)
}

function isVisible({ ledger, caller }: CallContext, workload: WorkloadId): boolean {
  const known = ledger.state.workloads.get(workload)
  return known !== undefined && maySee(caller.user, known.owner)
}

/** The view with its forecast, while it waits. */
export function withForecast(context: CallContext, view: WorkloadView): WorkloadView {
  return view.state === 'queued' ? { ...view, ...forecastOf(context, id<WorkloadId>(view.id)) } : view
}

function forecastOf({ forecasts }: CallContext, workload: WorkloadId): { forecast?: StartForecast } {
  const forecast = forecasts.of(workload)
  return forecast ? { forecast } : {}
}
