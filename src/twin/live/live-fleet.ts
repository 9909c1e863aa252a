import type { AttemptId, NodeId, TimeMs } from '../../base/index.ts'
import { present } from '../../base/index.ts'
import type { StoredState } from '../../control/index.ts'
import { launchOrder } from '../../control/index.ts'
import type { Node } from '../../model/index.ts'
import { FaultInjector, type FaultOccurrence } from '../faults/fault-injector.ts'
import type { FleetOccurrence } from '../fleet/fleet-options.ts'
import { Pace } from '../fleet/pace.ts'
import { type Run, type RunEnd, settle } from '../fleet/run.ts'
import { SimulatedEngine } from '../fleet/simulated-engine.ts'
import { Agenda, type Ticket, type TimeUs } from '../kernel/agenda.ts'
import { Streams } from '../kernel/streams.ts'
import type { LivePlan } from './live-plan.ts'
import { behaviourOf, stepUsOf } from './program.ts'

const RANK = { fleet: 0, fault: 1 } as const

/** Programs that hold so many GPUs are heard of more often than the rest. */
const LARGE_GPUS = 64

/**
 * The machine of a live twin: nodes, what runs on them, and what breaks. It goes on from what a store holds, as real
 * programs do that outlive the server: what runs is as far as it would be, and what is broken stays broken.
 */
export class LiveFleet {
  readonly engine: SimulatedEngine
  readonly #plan: LivePlan
  readonly #agenda = new Agenda<FleetOccurrence | FaultOccurrence>()
  readonly #pace = new Pace()
  readonly #faults: FaultInjector
  #now: TimeUs
  /** Runs that are still to be heard of in this round, the large ones apart. */
  #large: AttemptId[] = []
  #small: AttemptId[] = []

  constructor(plan: LivePlan, stored: StoredState, now: TimeMs, onEnd?: (run: Run, end: RunEnd) => void) {
    this.#plan = plan
    this.#now = now * 1000
    const models = new Map(plan.nodes.map((node) => [node.id, node.gpuModel]))
    this.engine = new SimulatedEngine(
      {
        levels: plan.levels,
        nodes: plan.nodes,
        behaviourOf: (order) => {
          const node = order.allocation.parts[0]?.node
          return behaviourOf(order, (node && models.get(node)) ?? '', plan.seed)
        },
        speeds: this.#pace,
        tellSaves: false,
        reports: false,
        ...(plan.replicaAddress !== undefined ? { replicaAddress: plan.replicaAddress } : {}),
        ...(onEnd ? { onEnd } : {}),
      },
      {
        plan: (at, what) => this.#agenda.plan(at, RANK.fleet, what),
        cancel: (ticket: Ticket) => this.#agenda.cancel(ticket),
      },
    )
    // Faults have no memory: those to come are drawn anew, from a stream of this moment.
    this.#faults = new FaultInjector(
      plan.faults,
      plan.nodes,
      new Streams(plan.seed + now),
      (inUs, what) => void this.#agenda.plan(this.#now + inUs, RANK.fault, what),
    )
    this.#faults.start()
    this.#restore(stored)
  }

  /** Microseconds of virtual time up to which all has happened. */
  get now(): TimeUs {
    return this.#now
  }

  /** When something happens next by itself. */
  nextAt(): TimeUs {
    return this.#agenda.nextAt() ?? Number.POSITIVE_INFINITY
  }

  /** Lets all happen that is due by then. */
  advance(to: TimeUs): void {
    for (let at = this.nextAt(); at <= to; at = this.nextAt()) {
      const { what } = present(this.#agenda.take(), 'next occurrence')
      this.#now = at
      if ('attempt' in what) this.engine.happen(what, at)
      else this.#faults.happen(what, this.engine, this.#pace, at)
    }
    this.#now = Math.max(this.#now, to)
  }

  /** Brings what is known of the run up to now. */
  settle(run: Run): void {
    settle(run, this.#now)
  }

  /** Lets so many programs tell how far they are, in turns: half of them large ones. */
  tellProgress(count: number): void {
    const large = Math.ceil(count / 2)
    if (this.#large.length < large || this.#small.length < count - large) this.#newRound()
    const heard = [...this.#large.splice(0, large), ...this.#small.splice(0, count - large)]
    for (const attempt of heard) {
      const run = this.engine.runs.get(attempt)
      if (run) this.engine.tellProgress(run, this.#now)
    }
  }

  #newRound(): void {
    const known = new Set([...this.#large, ...this.#small])
    for (const { attempt, order, state } of this.engine.runs.values()) {
      if (state !== 'running' || order.needsPort || known.has(attempt)) continue
      const gpus = order.allocation.parts.reduce((sum, part) => sum + part.gpus.length, 0)
      const into = gpus >= LARGE_GPUS ? this.#large : this.#small
      into.push(attempt)
    }
  }

  #restore({ documents, workloads, attempts }: StoredState): void {
    const nodes = new Map<NodeId, Node>()
    for (const { collection, value } of documents) {
      if (collection !== 'nodes') continue
      const node = value as Node
      const { id, state, engineName = id } = node
      nodes.set(id, node)
      if (state === 'down') this.#faults.leaveBroken(engineName, this.engine, this.#now)
    }
    const known = new Map(workloads.map((workload) => [workload.id, workload]))
    for (const { id, checkpoint } of workloads)
      if (checkpoint) this.engine.keep(id, checkpoint.step * stepUsOf(id, this.#plan.seed))
    for (const attempt of attempts) {
      if (attempt.runningAt === undefined) continue
      const workload = present(known.get(attempt.workload), `workload ${attempt.workload}`)
      const resumedUs = (attempt.resumedFromStep ?? 0) * stepUsOf(workload.id, this.#plan.seed)
      this.engine.adopt(launchOrder(nodes, workload, attempt), resumedUs, attempt.runningAt * 1000, this.#now)
    }
    this.engine.takeFacts()
  }
}
