import type { ControlState, EventKind } from '../control/index.ts'
import type { Endpoint } from '../gateway/index.ts'
import type { User, Workload } from '../model/index.ts'
import type { Ledger } from './ledger.ts'

/** Events after which a model may be served elsewhere, or not at all. */
const CHANGES: ReadonlySet<EventKind> = new Set<EventKind>([
  'workload-submitted',
  'workload-stopping',
  'workload-finished',
  'attempt-planned',
  'attempt-running',
  'attempt-stopping',
  'attempt-ended',
  'replica-readiness',
])

type ByModel = Map<string, Endpoint>

/** Where each organisation's models are served: made again only when that may have changed. */
export class ServedModels {
  readonly #ledger: Ledger
  #state: ControlState | undefined
  #byOrganisation = new Map<string, ByModel>()
  #everyone: ByModel = new Map()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
    ledger.subscribe((events) => {
      if (events.some(({ event }) => CHANGES.has(event.kind))) this.#state = undefined
    })
  }

  /** The models that this user may call (S9): their organisation's; operators reach all, their own first. */
  visibleTo(user: User): ReadonlyMap<string, Endpoint> {
    this.#refresh()
    const own = this.#byOrganisation.get(user.organisation) ?? new Map()
    return user.role === 'operator' ? new Map([...this.#everyone, ...own]) : own
  }

  #refresh(): void {
    const { state } = this.#ledger
    if (this.#state === state) return
    this.#state = state
    this.#byOrganisation = new Map()
    this.#everyone = new Map()
    for (const workload of state.workloads.values()) {
      const { spec, owner } = workload
      if (spec.type !== 'serve') continue
      const endpoint = endpointOf(state, workload)
      const models = this.#byOrganisation.get(owner.organisation) ?? new Map<string, Endpoint>()
      this.#byOrganisation.set(owner.organisation, models.set(spec.model, endpoint))
      this.#everyone.set(spec.model, endpoint)
    }
  }
}

function endpointOf(state: ControlState, workload: Workload): Endpoint {
  const replicas = workload.liveAttempts.flatMap((id) => {
    const attempt = state.attempts.get(id)
    const ready = attempt?.ready === true && attempt.address !== undefined
    return ready ? { id, url: `http://${attempt.address}` } : []
  })
  const { organisation } = workload.owner
  return {
    id: workload.id,
    replicas,
    state: workload.state,
    createdAt: workload.submittedAt,
    ownedBy: organisation,
  }
}
