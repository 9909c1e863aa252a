import type { TimeMs, WorkloadId } from '../base/index.ts'
import { formatDuration, present } from '../base/index.ts'
import { workloads } from './amounts.ts'
import { type Offer, offers } from './counterfactual.ts'
import type { Blocker, Explanation } from './explanation.ts'
import { gangKey } from './gang.ts'
import { named } from './holders.ts'
import type { Machine } from './machine.ts'
import { Pass } from './pass.ts'
import { PhysicalBlockers } from './physical-blockers.ts'
import { PlacesInLine } from './place-in-line.ts'
import type { Hold } from './plan.ts'
import { quotaBlocks, withinLimits } from './quota.ts'
import { quotaBlocker } from './quota-blocker.ts'
import type { RequestClass } from './request-class.ts'
import { comesTrue } from './trial.ts'
import type { Entry } from './waiting.ts'

/** Why one queued gang does not start now. Asserts that it is queued. */
export function explain(machine: Machine, now: TimeMs, workload: WorkloadId, replica: number): Explanation {
  const entry = present(machine.waiting.get(workload, replica), `queued gang ${gangKey(workload, replica)}`)
  const explainer = new Explainer(machine, now)
  const explanation = explainer.explain(entry)
  const offered = explanation.blockers.length > 0 ? explainer.offers(entry) : []
  explainer.close()
  const proved = offered.filter(({ trial }) => !trial || comesTrue(machine, now, entry, trial))
  return { ...explanation, counterfactuals: proved.map(({ said }) => said) }
}

/** Why each queued gang does not start now, in the order of the queue; without counterfactuals. */
export function explainAll(machine: Machine, now: TimeMs): Explanation[] {
  const explainer = new Explainer(machine, now)
  const explanations = [...machine.waiting.entries.values()].map((entry) => explainer.explain(entry))
  explainer.close()
  return explanations.sort((a, b) => a.position - b.position)
}

/** Looks at one open pass; closes it at the end. */
class Explainer {
  private readonly machine: Machine
  private readonly now: TimeMs
  private readonly pass: Pass
  private readonly places: PlacesInLine
  private readonly physical: PhysicalBlockers
  private readonly startsNow: ReadonlySet<Entry>
  private readonly holds: ReadonlyMap<string, Hold>

  constructor(machine: Machine, now: TimeMs) {
    this.machine = machine
    this.now = now
    this.pass = new Pass(machine, now)
    this.pass.decide()
    this.places = new PlacesInLine(this.pass)
    this.physical = new PhysicalBlockers(this.pass)
    this.startsNow = new Set(this.pass.granted.flatMap((granted) => (granted.now ? [granted.entry] : [])))
    this.holds = new Map(this.pass.holds.map((hold) => [gangKey(hold.workload, hold.replica), hold]))
  }

  close(): void {
    this.pass.rollback()
  }

  /** Without counterfactuals. */
  explain(entry: Entry): Explanation {
    const { workload, replica } = entry.gang
    const blockers = this.startsNow.has(entry) ? [] : this.blockers(entry, this.pass.requestOf(entry))
    return { workload, replica, position: this.places.of(entry), blockers, counterfactuals: [] }
  }

  /** What could be changed, where a change of the gang alone would be of use. */
  offers(entry: Entry): Offer[] {
    const { waitsFor, notBefore } = entry.gang
    const isHeldBack = waitsFor.length > 0 || notBefore > this.now || this.isBehindHead(entry)
    if (isHeldBack || this.pass.served?.has(entry)) return []
    return offers(this.pass, entry, this.pass.requestOf(entry))
  }

  private blockers(entry: Entry, request: RequestClass): Blocker[] {
    if (request.impossible !== undefined)
      return [{ kind: 'shape', message: `It can never start here: ${request.impossible}.`, holders: [] }]
    const hold = this.holds.get(gangKey(entry.gang.workload, entry.gang.replica))
    if (hold) return [this.beingCleared(hold)]
    const blockers = this.notYet(entry)
    const allowed = withinLimits(this.machine, entry, request, this.now)
    const { gpuMilli } = request.options[0]!
    const quota = allowed ? [] : quotaBlocks(this.machine, entry, gpuMilli, this.now)
    for (const block of quota) blockers.push(quotaBlocker(this.machine, this.now, entry, block, gpuMilli))
    const isBehind = this.isBehindHead(entry)
    const until = this.pass.preferenceUntil(entry, request)
    if (until > this.now && quota.length === 0 && !isBehind) blockers.push(this.prefersLevel(request, until))
    if (isBehind) blockers.push(this.behindHead())
    blockers.push(...this.physical.of(entry, allowed ?? request))
    return blockers
  }

  /** Why its turn has not come at all. */
  private notYet({ gang }: Entry): Blocker[] {
    const blockers: Blocker[] = []
    if (gang.waitsFor.length > 0)
      blockers.push({
        kind: 'dependency',
        message: `It waits for ${gang.waitsFor.join(', ')} to succeed.`,
        needed: gang.waitsFor.length,
        available: 0,
        unit: 'workloads',
        holders: [],
      })
    if (gang.notBefore > this.now)
      blockers.push({
        kind: 'limit',
        message: `It may not start for another ${formatDuration(gang.notBefore - this.now)}.`,
        holders: [],
        earliestEndAt: gang.notBefore,
      })
    return blockers
  }

  /** Its place is chosen, and others are ending there. */
  private beingCleared({ waitsFor }: Hold): Blocker {
    const ending = waitsFor.flatMap((attempt) => this.machine.live.get(attempt) ?? [])
    return {
      kind: 'capacity',
      message: `Its place is held for it; it starts as soon as ${workloads(ending.length)} there ${ending.length === 1 ? 'has' : 'have'} ended.`,
      holders: named(ending),
      earliestEndAt: this.now + this.machine.policy.evictionGraceMs,
    }
  }

  private prefersLevel({ request }: RequestClass, until: TimeMs): Blocker {
    const { level } = request.within!
    return {
      kind: 'shape',
      message: `It prefers one ${level} and no ${level} has room; it takes any place in ${formatDuration(until - this.now)}.`,
      holders: [],
      earliestEndAt: until,
    }
  }

  private isBehindHead(entry: Entry): boolean {
    const { strictHead } = this.pass
    return (
      strictHead !== undefined &&
      entry.lane !== undefined &&
      this.places.of(entry) > this.places.of(strictHead)
    )
  }

  private behindHead(): Blocker {
    const { workload, queue, user } = this.pass.strictHead!.gang
    return {
      kind: 'priority',
      message: 'The policy keeps strict order, and the head of the queue does not fit yet.',
      holders: [{ workload, queue, user, gpus: 0 }],
    }
  }
}
