import type { TimeMs, WorkloadId } from '../base/index.ts'
import { compareIds, formatDuration, HOUR_MS, present } from '../base/index.ts'
import type { Reservation } from '../model/index.ts'
import { askedForOthers, hasOwnNodes, notAskedFor } from './asked-nodes.ts'
import { budgetFreedAt } from './budget.ts'
import { counterfactuals } from './counterfactual.ts'
import { earliestPlace } from './earliest.ts'
import type { Blocker, Explanation, Holder } from './explanation.ts'
import { gangKey } from './gang.ts'
import type { Occupant, QueueRecord } from './holding.ts'
import { fewest, keptBlocker } from './kept-blocker.ts'
import { listed, workloads } from './listed.ts'
import type { Machine } from './machine.ts'
import { Pass } from './pass.ts'
import { place } from './placement.ts'
import type { Promised } from './promises.ts'
import { isPartOf, type QuotaBlock, quotaBlocks } from './quota.ts'
import { type RequestClass, smallest } from './request-class.ts'
import { apartAlways, sharesDomain } from './spread.ts'
import { domainPath } from './tree.ts'
import type { Turn } from './verdict.ts'
import type { Entry } from './waiting.ts'
import { binds, inTime } from './windows.ts'

/** Holders named in one blocker; the rest are in its numbers. */
const HOLDERS_NAMED = 10

/** Why one queued gang does not start now. Asserts that it is queued. */
export function explain(machine: Machine, now: TimeMs, workload: WorkloadId, replica: number): Explanation {
  const entry = present(machine.waiting.get(workload, replica), `queued gang ${gangKey(workload, replica)}`)
  const explainer = new Explainer(machine, now)
  const explanation = explainer.explain(entry, true)
  explainer.close()
  return explanation
}

/** Why each queued gang does not start now, in the order of the queue; without counterfactuals. */
export function explainAll(machine: Machine, now: TimeMs): Explanation[] {
  const explainer = new Explainer(machine, now)
  const explanations = [...machine.waiting.entries.values()].map((entry) => explainer.explain(entry, false))
  explainer.close()
  return explanations.sort((a, b) => a.position - b.position)
}

/** Looks at one open pass; closes it at the end. */
class Explainer {
  private readonly machine: Machine
  private readonly now: TimeMs
  private readonly pass: Pass
  /** What holds for all gangs of one class. */
  private readonly byClass = new Map<string, readonly Blocker[]>()

  constructor(machine: Machine, now: TimeMs) {
    this.machine = machine
    this.now = now
    this.pass = new Pass(machine, now, { recordTurns: true })
    this.pass.decide()
  }

  close(): void {
    this.pass.rollback()
  }

  explain(entry: Entry, withCounterfactuals: boolean): Explanation {
    const { gang } = entry
    const turn = this.pass.turns!.get(entry)
    const request = this.machine.fleet.compile(entry.classKey, smallest(gang.request))
    const blockers = turn?.verdict.kind === 'started' ? [] : this.blockers(entry, request, turn)
    return {
      workload: gang.workload,
      replica: gang.replica,
      position: turn?.position ?? this.pass.turns!.size + 1,
      blockers,
      counterfactuals:
        withCounterfactuals && blockers.length > 0 ? counterfactuals(this.pass, entry, request) : [],
    }
  }

  private blockers(entry: Entry, request: RequestClass, turn: Turn | undefined): Blocker[] {
    const { gang } = entry
    const blockers: Blocker[] = []
    if (request.impossible !== undefined)
      return [{ kind: 'shape', message: `It can never start here: ${request.impossible}.`, holders: [] }]
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
        message: `It may not start before ${formatDuration(gang.notBefore - this.now)} from now.`,
        holders: [],
        earliestEndAt: gang.notBefore,
      })
    const gpuMilli = request.options[0]!.gpuMilli
    for (const block of quotaBlocks(this.machine, entry, gpuMilli, this.now))
      blockers.push(this.quota(entry, block, gpuMilli))
    if (turn?.verdict.kind === 'waits-for-level') {
      const { until } = turn.verdict
      blockers.push({
        kind: 'shape',
        message: `It prefers one ${gang.request.within!.level} and no ${gang.request.within!.level} has room; it takes any place in ${formatDuration(until - this.now)}.`,
        holders: [],
        earliestEndAt: until,
      })
    }
    if (turn?.verdict.kind === 'behind-head') blockers.push(this.behindHead())
    blockers.push(...this.physical(entry, request))
    return blockers
  }

  private quota(entry: Entry, block: QuotaBlock, gpuMilli: number): Blocker {
    const needed = gpuMilli / 1000
    if (block.kind === 'not-lent') {
      return {
        kind: 'quota',
        message: `Queue ${block.queue.id} is above its guarantee, and ${gpus(block.keptMilli)} of the ${gpus(block.freeMilli)} free GPUs are guaranteed to queues that do not lend.`,
        needed,
        available: Math.max(0, block.freeMilli - block.keptMilli) / 1000,
        unit: 'GPUs',
        holders: [],
      }
    }
    if (block.kind === 'budget') return this.budget(block)
    const mine = block.kind === 'user-limit'
    const holding = this.holding(
      (occupant) =>
        (mine ? occupant.user === entry.user : isUnder(occupant, block.queue.id)) &&
        occupant.attempt !== undefined,
    )
    const available = Math.max(0, block.limitMilli - block.heldMilli)
    const whose = mine ? `user ${entry.gang.user} in queue ${block.queue.id}` : `queue ${block.queue.id}`
    return {
      kind: 'quota',
      message: `It needs ${needed} GPUs; ${whose} holds ${gpus(block.heldMilli)} of at most ${gpus(block.limitMilli)}, so ${gpus(available)} are left.`,
      needed,
      available: available / 1000,
      unit: 'GPUs',
      holders: named(holding),
      ...whenFreed(holding, gpuMilli - available),
    }
  }

  private budget({ record, needed, left }: QuotaBlock & { kind: 'budget' }): Blocker {
    const { gpuHours, windowMs } = record.queue.budget!
    const at = budgetFreedAt(record, needed - left, this.pass.now)
    return {
      kind: 'limit',
      message: `It needs ${hours(needed)} GPU-hours; of the ${gpuHours} that queue ${record.queue.id} may use in ${formatDuration(windowMs)}, ${hours(left)} are left.`,
      needed: needed / HOUR_MS,
      available: left / HOUR_MS,
      unit: 'GPU-hours',
      holders: named(this.holding((occupant) => isPartOf(occupant.user.parent, record))),
      ...(at !== undefined && { earliestEndAt: at }),
    }
  }

  private behindHead(): Blocker {
    const head = [...this.pass.turns!].find(([, turn]) => turn.verdict.kind === 'blocked')?.[0].gang
    return {
      kind: 'priority',
      message: 'The policy keeps strict order, and the head of the queue does not fit yet.',
      holders: head ? [{ workload: head.workload, queue: head.queue, user: head.user, gpus: 0 }] : [],
    }
  }

  private physical(entry: Entry, request: RequestClass): readonly Blocker[] {
    const own =
      hasOwnNodes(entry.gang) ||
      request.request.spread?.mode === 'required' ||
      this.pass.promises.of(entry) !== undefined
    const windows = this.bindingWindows(entry).map(({ id }) => id)
    const key = `${own ? gangKey(entry.gang.workload, entry.gang.replica) : ''} ${windows.join()} ${request.key}`
    let found = this.byClass.get(key)
    if (!found) {
      found = this.tryPhysical(entry, request)
      this.byClass.set(key, found)
    }
    return found
  }

  private bindingWindows(entry: Entry): Reservation[] {
    return inTime(this.machine.reservations.values()).filter((window) => binds(window, entry, this.now))
  }

  /** What is in the way in the machine itself, each found by taking it away and trying again. */
  private tryPhysical(entry: Entry, request: RequestClass): Blocker[] {
    const { transaction } = this.pass
    const { fleet } = this.machine
    const minDepth = request.withinRequired ? (request.withinDepth ?? 0) : 0
    const fits = () => place(fleet.capacity, request, minDepth) !== undefined
    const blockers: Blocker[] = []
    const outset = transaction.mark()
    const own = this.pass.promises.of(entry)
    if (own) transaction.vacate(own.occupant)
    const apart = apartAlways(fleet, entry.gang, request)
    const unasked = notAskedFor(fleet.tree, entry.gang)
    for (const node of [...apart, ...unasked]) transaction.close(node)
    this.pass.promises.keepOut(entry)
    if (fits() && entry.gang.avoid.length === 0) {
      transaction.rollback(outset)
      return []
    }
    const mark = transaction.mark()

    const kept = this.pass.promises.list.filter(
      (promised) =>
        promised.entry !== entry && !(promised.reservation && !binds(promised.reservation, entry, this.now)),
    )
    const fitsWithout = (promises: readonly Promised[]) => {
      for (const promised of promises) this.pass.promises.lift(promised, entry)
      const without = fits()
      transaction.rollback(mark)
      return without
    }
    for (const node of apart) transaction.open(node)
    if (apart.length > 0 && fits()) blockers.push(sharesDomain(request.request.spread!))
    transaction.rollback(mark)
    for (const node of unasked) transaction.open(node)
    if (unasked.length > 0 && fits()) blockers.push(askedForOthers(entry.gang))
    transaction.rollback(mark)
    const keeping = fewest(kept, fitsWithout)
    if (keeping) blockers.push(keptBlocker(keeping, this.now, HOLDERS_NAMED))

    const planned = this.pass.granted.map(({ occupant }) => occupant)
    for (const occupant of planned) transaction.vacate(occupant)
    for (const promised of kept) this.pass.promises.lift(promised, entry)
    if (blockers.length === 0 && planned.length > 0 && fits()) blockers.push(this.outranked(planned))
    if (blockers.length === 0) blockers.push(...this.missing(request, minDepth))

    const closed = this.closedNodes(request)
    for (const node of closed) {
      while (fleet.capacity.closed[node]! > 0) transaction.open(node)
    }
    if (closed.length > 0 && fits()) {
      blockers.push({
        kind: 'health',
        message: `It would fit if all nodes were ready; ${closed.length} of the right kind ${closed.length === 1 ? 'is' : 'are'} not: ${listed(closed.map((n) => fleet.tree.nodeIds[n]!))}.`,
        needed: closed.length,
        available: 0,
        unit: 'nodes',
        holders: [],
      })
    }
    transaction.rollback(outset)
    for (const { node, until } of entry.gang.avoid) {
      if (until <= this.now) continue
      blockers.push({
        kind: 'health',
        message: `It avoids node ${node}, where it failed, for another ${formatDuration(until - this.now)}.`,
        holders: [],
        earliestEndAt: until,
      })
    }
    return blockers
  }

  private outranked(planned: readonly Occupant[]): Blocker {
    return {
      kind: 'priority',
      message: `There is room now, but ${workloads(planned.length)} ahead of it ${planned.length === 1 ? 'takes' : 'take'} it.`,
      holders: named(planned),
    }
  }

  /** Too few GPUs, or enough of them in the wrong places. */
  private missing(request: RequestClass, minDepth: number): Blocker[] {
    const { fleet } = this.machine
    const { capacity, tree } = fleet
    const option = request.options[0]!
    const classes = new Set(request.options.map(({ nodeClass }) => nodeClass))
    let free = 0
    let nodesWithFree = 0
    for (let n = 0; n < tree.nodeCount; n++) {
      if (!classes.has(tree.nodeClass[n]!) || capacity.closed[n] !== 0) continue
      free += capacity.milliFree[n]!
      if (capacity.nodeFree[n]! > 0) nodesWithFree++
    }
    const holding = this.holding(
      (occupant) =>
        occupant.attempt !== undefined &&
        occupant.footprint.nodes.some((n) => classes.has(tree.nodeClass[n]!)),
    )
    const earliest = earliestPlace(fleet, request, minDepth, this.now)
    const needed = option.gpuMilli / 1000
    const when = earliest && earliest.at < Number.POSITIVE_INFINITY ? { earliestEndAt: earliest.at } : {}
    if (free < option.gpuMilli) {
      return [
        {
          kind: 'capacity',
          message: `It needs ${needed} GPUs and ${gpus(free)} of the right kind are free.${fleet.foreign.words}`,
          needed,
          available: free / 1000,
          unit: 'GPUs',
          holders: named(holding),
          ...when,
        },
      ]
    }
    return [
      {
        kind: 'shape',
        message: `${gpus(free)} GPUs of the right kind are free, but scattered over ${nodesWithFree} nodes: ${this.mostTogether(request, minDepth)}.${fleet.foreign.words}`,
        needed: option.nodes,
        available: this.most(request, minDepth).nodes,
        unit: 'nodes',
        holders: named(holding),
        ...when,
      },
    ]
  }

  private mostTogether(request: RequestClass, minDepth: number): string {
    const option = request.options[0]!
    const { nodes, domain } = this.most(request, minDepth)
    const each = option.gpusPerNode
    const where = minDepth === 0 ? 'in the whole cluster' : `in one ${request.request.within!.level}`
    const which = minDepth === 0 ? '' : ` (${domainPath(this.machine.fleet.tree, domain)})`
    return `it needs ${option.nodes} ${option.nodes === 1 ? 'node' : 'nodes'} with ${each} free each ${where}, and the most there is ${nodes}${which}`
  }

  private most(request: RequestClass, minDepth: number): { nodes: number; domain: number } {
    const { capacity, tree } = this.machine.fleet
    let most = { nodes: 0, domain: 0 }
    const depth = Math.min(minDepth, tree.leafDepth)
    for (const option of request.options) {
      for (let d = tree.depthStart[depth]!; d < tree.depthStart[depth + 1]!; d++) {
        const nodes = capacity.nodesWith(option.nodeClass, d, option.gpusPerNode)
        if (nodes > most.nodes) most = { nodes, domain: d }
      }
    }
    return most
  }

  private closedNodes(request: RequestClass): number[] {
    const { tree, nodes } = this.machine.fleet
    const classes = new Set(request.options.map(({ nodeClass }) => nodeClass))
    const closed: number[] = []
    for (let n = 0; n < tree.nodeCount; n++) {
      const isReady = nodes.get(tree.nodeIds[n]!)?.state === 'ready'
      if (!isReady && classes.has(tree.nodeClass[n]!)) closed.push(n)
    }
    return closed
  }

  /** Live gangs that hold something, largest first. */
  private holding(of: (occupant: Occupant) => boolean): Occupant[] {
    const holding: Occupant[] = []
    for (const occupant of this.machine.live.values()) if (of(occupant)) holding.push(occupant)
    return holding.sort((a, b) => b.gpuMilli - a.gpuMilli || compareIds(a.gang.workload, b.gang.workload))
  }
}

function named(holding: readonly Occupant[]): Holder[] {
  return holding.slice(0, HOLDERS_NAMED).map(toHolder)
}

function toHolder(occupant: Occupant): Holder {
  const { gang } = occupant
  return {
    workload: gang.workload,
    queue: gang.queue,
    user: gang.user,
    gpus: occupant.gpuMilli / 1000,
    ...(gang.limitMs !== undefined && { endsAt: occupant.endsAt }),
  }
}

function isUnder(occupant: Occupant, queue: string): boolean {
  for (let record: QueueRecord | undefined = occupant.user.parent; record; record = record.parent)
    if (record.queue.id === queue) return true
  return false
}

function hours(gpuMs: number): number {
  return Math.round(gpuMs / HOUR_MS / 0.1) / 10
}

/** When enough of the holders will have ended, where their ends are known. */
function whenFreed(holding: readonly Occupant[], missingMilli: number): { earliestEndAt?: TimeMs } {
  let freed = 0
  for (const occupant of [...holding].sort((a, b) => a.endsAt - b.endsAt)) {
    if (occupant.gang.limitMs === undefined) return {}
    freed += occupant.gpuMilli
    if (freed >= missingMilli) return { earliestEndAt: occupant.endsAt }
  }
  return {}
}

function gpus(milli: number): string {
  return String(milli / 1000)
}
