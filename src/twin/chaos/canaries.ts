import type { NodeId, QueueId, ReservationId, WorkloadId } from '../../base/index.ts'
import { id, present } from '../../base/index.ts'
import type { EngineFact, LoggedEvent } from '../../control/index.ts'
import type { Attempt, NodeDescription, Workload } from '../../model/index.ts'
import { SYSTEM } from '../../model/index.ts'
import type { Observer, World } from '../world/world.ts'

/**
 * Deliberate bugs, one for each rule (a scheduler that reclaims nothing, in the tests, is the one for S8): each breaks its rule in a running world, and a checker that does not see it is
 * worth nothing. They are tried in tests, and on request from the command line.
 */
export const CANARIES = {
  /** A gang loses one of its nodes after it was planned. */
  S1: () => ({
    onEvents: (events: readonly LoggedEvent[], world: World) => {
      for (const { event } of events) {
        if (event.kind !== 'attempt-planned') continue
        const attempt = world.state.attempts.get(event.attempt)
        if (attempt && attempt.allocation.parts.length > 1)
          attempt.allocation = { parts: attempt.allocation.parts.slice(1) }
      }
    },
  }),
  /** A second gang is put on GPUs that are taken. */
  S2: () => ({
    onEvents: (events: readonly LoggedEvent[], world: World) => {
      for (const { event } of events) {
        if (event.kind !== 'attempt-planned') continue
        const other = [...world.state.attempts.values()].find(({ id }) => id !== event.attempt)
        const attempt = world.state.attempts.get(event.attempt)
        if (other && attempt) attempt.allocation = other.allocation
      }
    },
  }),
  /** Somebody is evicted for a workload that gets nothing by it. */
  S3: () => ({
    onStep: (world: World) => {
      const attempt = first(world.state.attempts, ({ state }) => state === 'running')
      const waiting = first(world.state.workloads, ({ state }) => state === 'queued')
      if (!attempt || !waiting) return
      attempt.stop = {
        reason: 'preempted',
        actor: SYSTEM,
        at: world.nowMs,
        signal: 'SIGTERM',
        graceMs: 0,
        for: waiting.id,
      }
      world.server.execute({ kind: 'contact', contact: 'lost' }, SYSTEM)
    },
  }),
  /** An attempt is ended on record although the engine said nothing of it. */
  S4: () => ({
    onStep: (world: World) => {
      const attempt = first(world.state.attempts, ({ state }) => state === 'running')
      if (!attempt || !world.server.isServing) return
      const cause = { kind: 'node-lost', message: 'silence', blame: 'platform' } as const
      const fact = { kind: 'attempt-ended', attempt: attempt.id, at: world.nowMs, exits: [], cause } as const
      world.server.execute({ kind: 'observe', facts: [fact], complete: false }, SYSTEM)
    },
  }),
  /** The store loses a submission that was acknowledged. */
  S5: () => ({
    onStep: (world: World) => {
      const workload = world.acknowledged.at(-1)
      if (workload) world.store?.lose(workload)
    },
  }),
  /** The state changes without an event. */
  S6: () => ({
    onStep: (world: World) => {
      const workload = first(world.state.workloads, ({ state }) => state === 'running')
      if (workload) workload.userFailures++
    },
  }),
  /** The user pays for what the platform lost. */
  S7: () => ({
    onEvents: (events: readonly LoggedEvent[]) => {
      for (const { event } of events) {
        if (event.kind !== 'attempt-ended' || event.outcome !== 'platform-failure') continue
        const usage = event.usage as { billed: number; held: number }
        usage.billed = usage.held + 1
      }
    },
  }),
  /** A workload waits for one of another tenant. */
  S9: () => ({
    onEvents: (events: readonly LoggedEvent[], world: World) => {
      for (const { event } of events) {
        if (event.kind !== 'workload-submitted') continue
        const foreign = first(
          world.state.workloads,
          ({ owner }) => owner.organisation !== event.owner.organisation,
        )
        if (foreign) (event as { waitsFor: readonly WorkloadId[] }).waitsFor = [foreign.id]
      }
    },
  }),
  /** A limit is lowered below what was just started, and nobody looked. */
  Q1: () => ({
    onEvents: (events: readonly LoggedEvent[], world: World) => {
      for (const { event } of events) {
        if (event.kind !== 'attempt-planned') continue
        const queue = world.state.queues.get(queueOf(event.workload, world))
        if (queue) world.state.queues.set(queue.id, { ...queue, limitGpus: 0 })
      }
    },
  }),
  /** Work starts on a node that is kept for nobody. */
  C1: () => ({
    onEvents: (events: readonly LoggedEvent[], world: World) => {
      for (const { event, at } of events) {
        if (event.kind !== 'attempt-planned') continue
        const nodes = event.allocation.parts.map(({ node }) => node)
        const window = { id: id<ReservationId>('canary'), kind: 'maintenance', nodes, reason: '' } as const
        world.state.reservations.set(window.id, { ...window, from: at, to: at + 1 })
      }
    },
  }),
  /** The scheduler is not told what others hold. */
  C20: () => ({
    onEvents: (events: readonly LoggedEvent[], { state }: World) => {
      for (const { event } of events)
        if (event.kind === 'node-foreign') state.derived.machine.setForeignUse(event.node, [])
    },
  }),
  /** The scheduler is not told that GPUs are gone. */
  C28: keepingOfNodes(({ gpuCount }) => ({ gpuCount })),
  P3: keepingOfNodes(({ gpuCount }) => ({ gpuCount })),
  /** The scheduler is not told that a node stands elsewhere. */
  P6: keepingOfNodes(({ domains }) => ({ domains })),
  P7: keepingOfNodes(({ domains }) => ({ domains })),
  P10: keepingOfNodes(({ domains }) => ({ domains })),
  /** The end of what ran on GPUs that are gone is told to nobody. */
  gone: () => {
    let isMuted = false
    return {
      onStep: ({ server }: World) => {
        if (isMuted) return
        isMuted = true
        const execute = server.execute.bind(server)
        server.execute = (command, actor) =>
          command.kind === 'observe'
            ? execute({ ...command, facts: command.facts.filter((fact) => !tellsOfGone(fact)) }, actor)
            : execute(command, actor)
      },
    }
  },
  /** The last member of an array is forgotten. */
  array: () => ({
    onEvents: (events: readonly LoggedEvent[], world: World) => {
      const workloads = events.flatMap(({ event }) =>
        event.kind === 'workload-submitted' ? [event.workload] : [],
      )
      if (workloads.length > 1) world.jobOf.delete(workloads.pop()!)
    },
  }),
  /** Two runs of one seed differ. */
  S10: (() => {
    let runs = 0
    return () => {
      let number = runs++ % 2
      return {
        onStep: (world: World) => {
          world.state.nextWorkloadNumber += number
          number = 0
        },
      }
    }
  })(),
} as const satisfies Record<string, () => Observer>
export type CanaryName = keyof typeof CANARIES

function tellsOfGone(fact: EngineFact): boolean {
  return fact.kind === 'attempt-ended' && fact.cause?.message.includes('has no GPU') === true
}

/** What the nodes were first is what the scheduler goes by for ever, in this part. */
function keepingOfNodes(part: (first: NodeDescription) => Partial<NodeDescription>): () => Observer {
  return () => {
    const first = new Map<NodeId, NodeDescription>()
    return {
      onEvents: (events, { state }) => {
        for (const { event } of events) {
          if (event.kind !== 'node-described') continue
          const { node } = event
          const before = first.get(node.id) ?? node
          first.set(node.id, before)
          const known = present(state.nodes.get(node.id), 'node', node.id)
          state.derived.machine.setNode({ ...node, ...part(before) }, known.state)
        }
      },
    }
  }
}

function queueOf(workload: WorkloadId, { state }: World): QueueId {
  return present(state.workloads.get(workload), 'workload', workload).queue
}

function first<Item extends Attempt | Workload>(
  items: ReadonlyMap<string, Item>,
  isWanted: (item: Item) => boolean,
): Item | undefined {
  for (const item of items.values()) if (isWanted(item)) return item
  return undefined
}
