import type { NodeId, RandomStream } from '../../base/index.ts'
import { present } from '../../base/index.ts'
import type { NodeDescription } from '../../model/index.ts'
import type { Pace } from '../fleet/pace.ts'
import type { CrashExit } from '../fleet/run.ts'
import type { SimulatedEngine } from '../fleet/simulated-engine.ts'
import type { TimeUs } from '../kernel/agenda.ts'
import type { Streams } from '../kernel/streams.ts'
import { causesOf, type FaultCause } from './rates.ts'

/** Which faults strike a fleet, and how often. */
export interface FaultPlan {
  /** Names of published rate sets. */
  readonly rates: readonly string[]
  /** Multiplies all rates. */
  readonly scale: number
  /** A share of the nodes that has a share of the failures. */
  readonly lemons?: { readonly nodes: number; readonly failures: number }
  readonly stragglers?: {
    readonly perThousandNodeDays: number
    readonly speed: number
    readonly lastsMs: number
  }
  /** Nodes that are taken out of the fleet for a while. */
  readonly departures?: Spells
  /** Others than Banyan hold some of the free GPUs of a node for a while. */
  readonly foreign?: Spells
  /** Nodes that have fewer GPUs for a while, or stand in another domain. */
  readonly changes?: Spells
}

export interface Spells {
  readonly perThousandNodeDays: number
  readonly lastsMs: number
}

export type FaultOccurrence =
  | { readonly kind: 'fault'; readonly cause: number }
  | { readonly kind: 'node-breaks'; readonly node: NodeId; readonly cause: number }
  | { readonly kind: 'node-repaired'; readonly node: NodeId }
  | { readonly kind: 'node-slows' }
  | { readonly kind: 'node-recovers'; readonly node: NodeId }
  | { readonly kind: 'node-leaves' }
  | { readonly kind: 'node-returns'; readonly node: NodeId }
  | { readonly kind: 'others-come' }
  | { readonly kind: 'others-go'; readonly node: NodeId }
  | { readonly kind: 'node-changes' }
  | { readonly kind: 'node-as-before'; readonly node: NodeId }

const THOUSAND_NODE_DAYS_MS = 1000 * 86_400_000

/**
 * Strikes a fleet: each cause is a Poisson process over all nodes, lemons take more than their share. It decides
 * where and what; the engine does what a real one would see.
 */
export class FaultInjector {
  readonly #plan: FaultPlan
  readonly #causes: readonly FaultCause[]
  readonly #nodes: readonly NodeDescription[]
  readonly #sound: readonly NodeDescription[]
  readonly #lemons: readonly NodeDescription[]
  readonly #domains: readonly (readonly NodeId[])[]
  readonly #streams: Streams
  readonly #agenda: (inUs: TimeUs, what: FaultOccurrence) => void
  #healed = false
  /** Faults that struck, by cause. */
  readonly counts = new Map<string, number>()

  constructor(
    plan: FaultPlan,
    nodes: readonly NodeDescription[],
    streams: Streams,
    agenda: (inUs: TimeUs, what: FaultOccurrence) => void,
  ) {
    this.#plan = plan
    this.#causes = plan.rates.flatMap(causesOf)
    this.#nodes = nodes
    this.#streams = streams
    this.#agenda = agenda
    const lemonCount = Math.round((plan.lemons?.nodes ?? 0) * nodes.length)
    const lemons = pick(nodes, lemonCount, streams.named('faults/lemons'))
    this.#lemons = [...lemons]
    this.#sound = nodes.filter((node) => !lemons.has(node))
    const domains = new Map<string, NodeId[]>()
    for (const { id, domains: path } of nodes) {
      const name = path.join('/')
      const members = domains.get(name)
      if (members) members.push(id)
      else domains.set(name, [id])
    }
    this.#domains = [...domains.values()]
  }

  /** Plans the first fault of every cause. */
  start(): void {
    for (const cause of this.#causes.keys()) this.#planFault(cause)
    this.#planSlow()
    this.#planDeparture()
    this.#planForeign()
    this.#planChange()
  }

  /** No new faults from here on; what is broken is still repaired. */
  heal(): void {
    this.#healed = true
  }

  get isHealed(): boolean {
    return this.#healed
  }

  happen(what: FaultOccurrence, engine: SimulatedEngine, pace: Pace, now: TimeUs): void {
    switch (what.kind) {
      case 'fault': {
        if (this.#healed) return
        this.#planFault(what.cause)
        this.#strike(what.cause, engine, now)
        return
      }
      case 'node-breaks':
        this.#break(what.node, this.#cause(what.cause), engine, now)
        return
      case 'node-repaired':
        engine.repairNode(what.node, now)
        return
      case 'node-slows': {
        if (this.#healed) return
        this.#planSlow()
        const { id } = this.#randomNode()
        const { speed, lastsMs } = present(this.#plan.stragglers, 'stragglers')
        if (pace.isSlow(id)) return
        pace.setNodeSpeed(id, speed)
        engine.paceAnew(engine.runsOn(id), now)
        this.#agenda(Math.ceil(this.#streams.named('faults/slow').exponential(lastsMs * 1000)), {
          kind: 'node-recovers',
          node: id,
        })
        return
      }
      case 'node-recovers':
        pace.setNodeSpeed(what.node, 1)
        engine.paceAnew(engine.runsOn(what.node), now)
        return
      case 'node-leaves': {
        if (this.#healed) return
        this.#planDeparture()
        const random = this.#streams.named('faults/departures')
        const { id } = this.#nodes[random.below(this.#nodes.length)]!
        engine.removeNode(id, now)
        const { lastsMs } = present(this.#plan.departures, 'departures')
        this.#agenda(Math.ceil(random.exponential(lastsMs * 1000)), { kind: 'node-returns', node: id })
        return
      }
      case 'node-returns':
        engine.returnNode(what.node, now)
        return
      case 'others-come':
        if (this.#healed) return
        this.#planForeign()
        this.#letOthersIn(engine, now)
        return
      case 'others-go':
        engine.setForeign(what.node, [], '', now)
        return
      case 'node-changes':
        if (this.#healed) return
        this.#planChange()
        this.#change(engine, now)
        return
      case 'node-as-before':
        engine.changeNode(engine.nodes.describeFirst(what.node), now)
    }
  }

  /** The node was broken before and is repaired as after any failure of its kind. */
  leaveBroken(node: NodeId, engine: SimulatedEngine, now: TimeUs): void {
    const cause = this.#causes.find(({ repairMs }) => repairMs > 0)
    if (cause) this.#break(node, cause, engine, now)
  }

  #planFault(index: number): void {
    const { perMs, strikes } = this.#cause(index)
    const targets = strikes === 'node' ? this.#nodes.length : this.#domains.length
    const rate = perMs * targets * this.#plan.scale
    if (rate <= 0) return
    const gapUs = this.#streams.named(`faults/when/${index}`).exponential(1000 / rate)
    this.#agenda(Math.ceil(gapUs), { kind: 'fault', cause: index })
  }

  #planSlow(): void {
    this.#planRare(this.#plan.stragglers, 'faults/slow', { kind: 'node-slows' })
  }

  #planDeparture(): void {
    this.#planRare(this.#plan.departures, 'faults/departures', { kind: 'node-leaves' })
  }

  #planForeign(): void {
    this.#planRare(this.#plan.foreign, 'faults/foreign', { kind: 'others-come' })
  }

  #planChange(): void {
    this.#planRare(this.#plan.changes, 'faults/changes', { kind: 'node-changes' })
  }

  /** They take GPUs that are free; a node on which some are already gets none more. */
  #letOthersIn(engine: SimulatedEngine, now: TimeUs): void {
    const random = this.#streams.named('faults/foreign')
    const node = this.#nodes[random.below(this.#nodes.length)]!.id
    const endsInUs = Math.ceil(random.exponential(present(this.#plan.foreign, 'foreign').lastsMs * 1000))
    const isWanted = random.below(2) === 0 ? () => true : () => random.below(2) === 0
    const gpus = engine.freeGpus(node).filter(isWanted)
    if (gpus.length === 0 || engine.nodes.foreignOn(node).gpus.length > 0) return
    engine.setForeign(node, gpus, 'somebody else', now)
    this.#agenda(endsInUs, { kind: 'others-go', node })
  }

  /** Now and then the machine at its place is another one. */
  #exchanged({ gpuModel, gpuMemoryBytes, cpuCount, memoryBytes }: NodeDescription): Partial<NodeDescription> {
    const kind = this.#streams.named('faults/exchanges').below(8)
    if (kind === 0) return { gpuModel: `other ${gpuModel}`, gpuMemoryBytes: gpuMemoryBytes / 2 }
    if (kind === 1) return { cpuCount: Math.ceil(cpuCount / 4), memoryBytes: memoryBytes / 4 }
    return {}
  }

  /** Fewer GPUs, another domain, or both. */
  #change(engine: SimulatedEngine, now: TimeUs): void {
    const random = this.#streams.named('faults/changes')
    const node = this.#nodes[random.below(this.#nodes.length)]!
    const elsewhere = this.#nodes[random.below(this.#nodes.length)]!
    const kind = random.below(3)
    const gpuCount = kind === 0 ? node.gpuCount : 1 + random.below(node.gpuCount)
    const domains = kind === 1 ? node.domains : elsewhere.domains
    engine.changeNode({ ...node, gpuCount, domains, ...this.#exchanged(node) }, now)
    const { lastsMs } = present(this.#plan.changes, 'changes')
    this.#agenda(Math.ceil(random.exponential(lastsMs * 1000)), { kind: 'node-as-before', node: node.id })
  }

  #planRare(
    plan: Pick<Spells, 'perThousandNodeDays'> | undefined,
    stream: string,
    what: FaultOccurrence,
  ): void {
    if (!plan || plan.perThousandNodeDays === 0) return
    const rate = (plan.perThousandNodeDays * this.#nodes.length) / THOUSAND_NODE_DAYS_MS
    this.#agenda(Math.ceil(this.#streams.named(stream).exponential(1000 / rate)), what)
  }

  #strike(index: number, engine: SimulatedEngine, now: TimeUs): void {
    const cause = this.#cause(index)
    this.counts.set(cause.cause, (this.counts.get(cause.cause) ?? 0) + 1)
    if (cause.strikes === 'domain') {
      const domain = this.#domains[this.#streams.named('faults/where').below(this.#domains.length)]!
      const runs = new Set(domain.flatMap((node) => engine.runsOn(node)))
      for (const run of runs) engine.failRun(run, exitOf(cause, domain[0]!), cause.noticedMs * 1000, now)
      return
    }
    const node = this.#randomNode()
    if (engine.down.has(node.id)) return
    const gpu = this.#streams.named('faults/gpu').below(Math.max(1, node.gpuCount))
    const struck = engine
      .runsOn(node.id)
      .find(({ order }) =>
        order.allocation.parts.some((part) => part.node === node.id && part.gpus.includes(gpu)),
      )
    switch (cause.effect) {
      case 'node':
        this.#break(node.id, cause, engine, now)
        return
      case 'program':
        if (struck) engine.failRun(struck, exitOf(cause, node.id), 0, now)
        return
      case 'task':
        if (struck) engine.failRun(struck, exitOf(cause, node.id), 0, now)
        this.#break(node.id, cause, engine, now)
        return
      case 'hang':
        if (struck) engine.failRun(struck, exitOf(cause, node.id), cause.noticedMs * 1000, now)
        if (cause.repairMs > 0)
          this.#agenda(cause.noticedMs * 1000, { kind: 'node-breaks', node: node.id, cause: index })
    }
  }

  #break(node: NodeId, cause: FaultCause, engine: SimulatedEngine, now: TimeUs): void {
    if (cause.repairMs === 0 || engine.down.has(node)) return
    engine.failNode(node, cause.cause, now)
    const repairUs = this.#streams.named('faults/repair').exponential(cause.repairMs * 1000)
    this.#agenda(Math.ceil(repairUs), { kind: 'node-repaired', node })
  }

  #randomNode(): NodeDescription {
    const random = this.#streams.named('faults/where')
    const fromLemons = this.#lemons.length > 0 && random.next() < (this.#plan.lemons?.failures ?? 0)
    const pool = fromLemons ? this.#lemons : this.#sound
    return pool[random.below(pool.length)]!
  }

  #cause(index: number): FaultCause {
    return present(this.#causes[index], `cause ${index}`)
  }
}

function exitOf(cause: FaultCause, node: NodeId): CrashExit {
  return { node, exitCode: cause.exitCode, logTail: cause.log }
}

/** So many different ones, each as likely as any (Floyd's sampling would do too; the lists are short). */
function pick<Item>(items: readonly Item[], count: number, random: RandomStream): Set<Item> {
  const picked = new Set<Item>()
  while (picked.size < Math.min(count, items.length)) picked.add(items[random.below(items.length)]!)
  return picked
}
