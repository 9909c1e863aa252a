import type { Submitted } from '../api/index.ts'
import type { NodeId, WorkloadId } from '../base/index.ts'
import { id } from '../base/index.ts'
import type { Owner, WorkloadSpec } from '../model/index.ts'
import { PRIORITY_RANK, queueOfTeam } from '../model/index.ts'
import type { QueuedGang } from '../scheduler/index.ts'
import { explain, forecast, gangKey, planPass } from '../scheduler/index.ts'
import type { CallContext } from './context.ts'
import { redact } from './explaining.ts'
import { hangsOn } from './hangs-on.ts'

type Outlook = Submitted['outlook'][number]

/** The name of a workload that is only tried. */
export const HYPOTHETICAL = id<WorkloadId>('this')
const REPLICATIONS = 16

/** What submitting this would lead to, tried on a copy of the live state: where it starts, or why and how long it waits. */
export function outlookOf(context: CallContext, owner: Owner, spec: WorkloadSpec): Outlook {
  const now = context.clock.now()
  const machine = context.ledger.state.derived.machine.clone()
  machine.enqueue(hypotheticalGang(owner, spec, now))
  const start = planPass(machine, now).starts.find(({ workload }) => workload === HYPOTHETICAL)
  if (start) {
    const nodes = start.allocation.parts.map(({ node }) => node)
    return { name: spec.name, startsNow: true, nodes, domain: smallestDomain(context, nodes) }
  }
  const explanation = redact(context, explain(machine, now, HYPOTHETICAL, 0))
  const reason = hangsOn(explanation.blockers)
  const only = new Set([gangKey(HYPOTHETICAL, 0)])
  const [expected] = forecast(machine, now, { replications: REPLICATIONS, seed: 1, only })
  const times =
    expected?.p50 !== undefined && expected.p90 !== undefined
      ? {
          forecast: {
            p50At: Math.round(expected.p50),
            p90At: Math.round(expected.p90),
            replications: REPLICATIONS,
            ...(reason !== undefined && { hangsOn: reason }),
          },
        }
      : {}
  return { name: spec.name, startsNow: false, nodes: [], domain: [], explanation, ...times }
}

/** The levels that the paths of all these nodes have in common. */
function smallestDomain({ ledger }: CallContext, nodes: readonly NodeId[]): string[] {
  const [first = [], ...others] = nodes.map((node) => ledger.state.nodes.get(node)?.domains ?? [])
  const end = first.findIndex((name, depth) => others.some((path) => path[depth] !== name))
  return first.slice(0, end < 0 ? first.length : end)
}

/** The gang that this spec would queue, under a name that no workload has. */
export function hypotheticalGang(owner: Owner, spec: WorkloadSpec, now: number): QueuedGang {
  return {
    workload: HYPOTHETICAL,
    replica: 0,
    queue: queueOfTeam(owner.team),
    user: owner.user,
    priority: PRIORITY_RANK[spec.priority],
    submittedAt: now,
    request: spec.resources,
    preemptible: spec.preemptible,
    notBefore: 0,
    waitsFor: [],
    avoid: [],
    attainedGpuMs: 0,
    ...(spec.expectedMs !== undefined ? { expectedMs: spec.expectedMs } : {}),
    ...(spec.limitMs !== undefined ? { limitMs: spec.limitMs } : {}),
  }
}
