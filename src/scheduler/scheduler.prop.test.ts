import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { HOUR_MS, id, MINUTE_MS, type RandomStream, type ReservationId, randomStream } from '../base/index.ts'
import { allocatedGpus, type NodeState, type Policy } from '../model/index.ts'
import { explain, explainAll } from './explain.ts'
import type { Counterfactual } from './explanation.ts'
import type { QueuedGang } from './gang.ts'
import { Machine } from './machine.ts'
import { loadMemory, memoryRows } from './memory.ts'
import { Pass, planPass } from './pass.ts'
import { aGang, aNode, apply, aQueue, aRequest, endAttempt } from './picture.ts'
import type { Plan } from './plan.ts'
import { nodesOfReservation } from './reserve.ts'
import { inOrder } from './waiting.ts'
import { binds } from './windows.ts'

const STEPS = 60
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })

describe('random machines, gangs, faults and edits', () => {
  it('[R1] every index that is kept up to date equals what is counted from scratch', () => {
    play((world) => {
      expect(world.kept()).toEqual(world.counted())
    })
  })

  it('[R2] a pass and an explanation leave the machine as it was', () => {
    play((world) => {
      const before = world.kept()
      planPass(world.machine, world.now)
      explainAll(world.machine, world.now)
      for (const { gang } of Array.from(world.machine.waiting.entries.values()))
        explain(world.machine, world.now, gang.workload, gang.replica)
      expect(world.kept()).toEqual(before)
    })
  })

  it('[S1] a gang is started whole or not at all', () => {
    play((world, plan) => {
      for (const start of plan.starts) {
        const { request } = world.machine.gang(start.workload, start.replica)!
        const gpus = allocatedGpus(start.allocation)
        const nodes = start.allocation.parts.length
        const { shape, elastic } = request
        if (shape.kind === 'fraction') expect(gpus * 1000).toBeCloseTo(shape.milliGpus)
        else if (elastic) expect(nodes).toBeGreaterThanOrEqual(elastic.min)
        else if (shape.kind === 'gpus') expect(gpus).toBe(shape.gpus)
        else expect(nodes).toBe(shape.nodes)
      }
    })
  })

  it('[S2] no GPU is given twice', () => {
    play((world, plan) => {
      const evicted = new Set(plan.evictions.map(({ attempt }) => attempt))
      const used = new Map<string, number>()
      const add = (parts: Plan['starts'][number]['allocation']['parts']) => {
        for (const { node, gpus, milliGpus = 1000 } of parts) {
          for (const gpu of gpus) {
            const name = `${node}/${gpu}`
            used.set(name, (used.get(name) ?? 0) + milliGpus)
            expect(used.get(name)).toBeLessThanOrEqual(1000)
          }
        }
      }
      for (const { allocation } of [...plan.starts, ...plan.holds]) add(allocation.parts)
      const waitedFor = new Set(plan.holds.flatMap(({ waitsFor }) => waitsFor))
      for (const [attempt, { footprint }] of world.machine.live) {
        if (evicted.has(attempt) || waitedFor.has(attempt)) continue
        const { tree } = world.machine.fleet
        add(
          footprint.nodes.map((n, p) => ({
            node: tree.nodeIds[n]!,
            gpus: footprint.gpus[p]!,
            milliGpus: footprint.milli,
          })),
        )
      }
    })
  })

  it('[S3] nothing is evicted unless the plan holds the place of the one it is evicted for', () => {
    play((_, plan) => {
      for (const eviction of plan.evictions) {
        const kept = plan.holds.filter(({ workload }) => workload === eviction.for)
        expect(kept.length).toBeGreaterThan(0)
      }
      // And each beneficiary uses something of what was freed.
      for (const beneficiary of new Set(plan.evictions.map((eviction) => eviction.for))) {
        const ended = plan.evictions.filter((eviction) => eviction.for === beneficiary)
        const waits = plan.holds
          .filter(({ workload }) => workload === beneficiary)
          .flatMap((hold) => hold.waitsFor)
        const isLimit = ended.some(({ kind }) => kind === 'preempt')
        const isMoved = ended.some(({ attempt }) => attempt.startsWith(`${beneficiary}.`))
        if (!isLimit && !isMoved) expect(ended.some(({ attempt }) => waits.includes(attempt))).toBe(true)
      }
    })
  })

  it('[R1] a pass that leaves out the turns of those that cannot start plans what one plans that asks everybody', () => {
    play((world, plan) => {
      const asking = new Pass(world.machine, world.now, { askEverybody: true })
      const { nextPassAt: _, ...decided } = asking.run()
      asking.rollback()
      expect(plan).toMatchObject(decided)
    })
  })

  it('[C1] nothing is placed where it might reach into a window that is not its own', () => {
    play((world, plan) => {
      const { machine, now } = world
      const planned = [...plan.starts, ...plan.holds.filter(({ waitsFor }) => waitsFor.length > 0)]
      for (const { workload, replica, allocation } of planned) {
        const queued = machine.waiting.get(workload, replica)
        if (!queued) continue
        const taken = new Set(allocation.parts.map(({ node }) => node))
        for (const window of machine.reservations.values())
          if (binds(window, queued, now))
            expect(nodesOfReservation(machine, window).filter((node) => taken.has(node))).toEqual([])
      }
    })
  })

  it('[X2] what is said to let a gang start now does, once the change is made and everybody has had their turn', () => {
    let said = 0
    play(({ machine, now }) => {
      for (const { gang } of Array.from(machine.waiting.entries.values())) {
        const { workload, replica } = gang
        for (const { change, message, startsNow } of explain(machine, now, workload, replica)
          .counterfactuals) {
          if (!startsNow) continue
          said++
          const copy = machine.clone()
          makeChange(copy, gang, change)
          expect(planPass(copy, now).starts, message).toContainEqual(
            expect.objectContaining({ workload, replica }),
          )
        }
      }
    })
    expect(said).toBeGreaterThan(100)
  })

  it('[S10] the plan does not depend on the order in which things became known', () => {
    play((world, plan) => {
      expect(planPass(world.rebuilt(), world.now)).toEqual(plan)
    })
  })
})

describe('[S8] what is guaranteed comes back', () => {
  it('within the grace, whatever borrowers do', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = randomStream(seed, 'reclaim')
        const policy: Partial<Policy> = { reclaimGraceMs: 5 * MINUTE_MS, evictionGraceMs: MINUTE_MS }
        const world = new World(random, { queues: true, policy })
        for (let i = 0; i < 40; i++) world.submit({ queue: 'borrower', size: 1 + random.below(2) })
        world.pass()
        world.now += random.below(HOUR_MS)
        world.submit({ queue: 'lender', size: 1 + random.below(2), name: 'mine' })
        const asked = world.now
        for (let minute = 0; minute <= 6; minute++) {
          world.pass()
          world.endStopping()
          world.now = asked + minute * MINUTE_MS
        }
        world.pass()
        expect([...world.machine.live.values()].map(({ gang }) => gang.workload)).toContain('mine')
      }),
      { numRuns: 40 },
    )
  })
})

describe('[H1] backfill delays no hold', () => {
  it('the head starts when it would have started without anybody behind it', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const startOfHead = (withOthers: boolean) => {
          const random = randomStream(seed, 'backfill')
          const world = new World(random, { policy: { consolidate: false, preempt: false } })
          for (let i = 0; i < 6; i++)
            world.submit({ size: 1 + random.below(2), limitMs: (1 + random.below(8)) * 10 * MINUTE_MS })
          world.pass()
          world.submit({ name: 'head', size: 6, limitMs: HOUR_MS })
          for (let step = 0; step < 60; step++) {
            world.now += 10 * MINUTE_MS
            world.endDue()
            if (withOthers && step < 30) world.submit({ size: 1, limitMs: (1 + (step % 5)) * 10 * MINUTE_MS })
            world.pass()
            if (!world.machine.waiting.get(id('head'), 0)) return step
          }
          return -1
        }
        expect(startOfHead(true)).toBe(startOfHead(false))
      }),
      { numRuns: 40 },
    )
  })
})

const POLICIES: readonly Partial<Policy>[] = [
  {},
  {
    ordering: 'shortest-service',
    runTimes: 'declared',
    preemptByOrdering: true,
    backfill: 'greedy',
    minimumRunMs: 0,
  },
]

/** Plays random steps from many seeds and looks at the machine and its plan after each. */
function play(look: (world: World, plan: Plan) => void): void {
  fc.assert(
    fc.property(seeds, (seed) => {
      const policy = POLICIES[seed % POLICIES.length]!
      const world = new World(randomStream(seed, 'world'), { queues: true, policy })
      for (let step = 0; step < STEPS; step++) {
        world.step()
        look(world, planPass(world.machine, world.now))
      }
    }),
    { numRuns: 25 },
  )
}

/** As whoever reads the counterfactual would make it. */
function makeChange(machine: Machine, gang: QueuedGang, change: Counterfactual['change']): void {
  const { request } = gang
  const { shape, within, ...rest } = request
  const ask = (changed: Partial<QueuedGang>) => machine.updateQueued({ ...gang, ...changed })
  if (change.kind === 'without-reservation') machine.removeReservation(change.reservation)
  else if (change.kind === 'fewer-nodes' && shape.kind === 'nodes')
    ask({ request: { ...request, shape: { ...shape, nodes: change.nodes } } })
  else if (change.kind === 'fewer-gpus')
    ask({ request: { ...request, shape: { kind: 'gpus', gpus: change.gpus } } })
  else if (change.kind === 'wider-level')
    ask({ request: { ...request, within: { ...within!, level: change.level } } })
  else if (change.kind === 'any-level') ask({ request: { shape, ...rest } })
  else if (change.kind === 'shorter-limit') ask({ limitMs: change.limitMs })
  else if (change.kind === 'other-queue') ask({ queue: change.queue })
  else throw new Error(`no test makes the change ${change.kind}`)
}

interface Wish {
  readonly queue?: string
  readonly name?: string
  readonly size?: number
  readonly limitMs?: number
}

class World {
  readonly machine: Machine
  now = HOUR_MS
  private readonly random: RandomStream
  private readonly policy: Policy
  private submitted = 0

  constructor(random: RandomStream, options: { queues?: boolean; policy?: Partial<Policy> } = {}) {
    this.random = random
    this.machine = new Machine(['pod', 'block', 'node'])
    this.policy = { ...this.machine.policy, ...options.policy }
    this.machine.setPolicy(this.policy, 0)
    if (options.queues) {
      this.machine.setQueue(aQueue('lender', { guaranteedGpus: 16 }))
      this.machine.setQueue(aQueue('borrower', { limitGpusPerUser: 40 }))
    }
    for (let n = 0; n < 8; n++) this.machine.setNode(this.node(n), 'ready')
  }

  step(): void {
    const { machine, random } = this
    this.now += random.below(20 * MINUTE_MS)
    const kind = random.below(10)
    if (kind < 4) this.submit({})
    else if (kind < 6) this.pass()
    else if (kind === 6) this.endOne()
    else if (kind === 7) this.endStopping()
    else if (kind === 8) {
      const states: NodeState[] = ['ready', 'ready', 'draining', 'down', 'cordoned']
      machine.setNode(this.node(random.below(9)), states[random.below(states.length)]!)
    } else this.edit()
  }

  submit({ queue, name, size, limitMs }: Wish): void {
    const { random } = this
    const workload = name ?? `w${++this.submitted}`
    const wishes = ['1 gpu', '3 gpus', '0.25 gpu', '1 node', '2 nodes', '4 nodes', '12 gpus', '2 nodes x 4']
    let request = aRequest(size === undefined ? wishes[random.below(wishes.length)]! : `${size} nodes`)
    if (size === undefined && request.shape.kind === 'nodes' && random.next() < 0.3)
      request = {
        ...request,
        within: { level: 'block', mode: random.next() < 0.5 ? 'required' : 'preferred', waitMs: HOUR_MS },
      }
    if (size === undefined && request.shape.kind === 'nodes' && random.next() < 0.2)
      request = { ...request, elastic: { min: 1, max: request.shape.nodes + 1 } }
    this.machine.enqueue(
      aGang(workload, '1 gpu', {
        request,
        queue: id(
          queue ?? (size === undefined ? ['lender', 'borrower', 'other'][random.below(3)]! : 'other'),
        ),
        user: id(`u${size === undefined ? random.below(3) : 0}`),
        priority: size === undefined ? random.below(3) : 1,
        submittedAt: this.now,
        notBefore: size === undefined && random.next() < 0.1 ? this.now + HOUR_MS : 0,
        preemptible: size !== undefined || random.next() < 0.7,
        ...(limitMs !== undefined
          ? { limitMs }
          : random.next() < 0.6
            ? { limitMs: (1 + random.below(10)) * HOUR_MS }
            : {}),
      }),
    )
  }

  pass(): void {
    apply(this.machine, planPass(this.machine, this.now), this.now)
  }

  endDue(): void {
    for (const [attempt, { endsAt }] of this.machine.live)
      if (endsAt <= this.now) endAttempt(this.machine, attempt, this.now)
  }

  endStopping(): void {
    for (const [attempt, { stopping }] of this.machine.live)
      if (stopping) endAttempt(this.machine, attempt, this.now)
  }

  private endOne(): void {
    const attempts = [...this.machine.live.keys()]
    if (attempts.length > 0) endAttempt(this.machine, attempts[this.random.below(attempts.length)]!, this.now)
  }

  private edit(): void {
    const { machine, random } = this
    const queued = [...machine.waiting.entries.values()]
    const kind = random.below(6)
    if (kind >= 4) {
      this.editWindows()
    } else if (kind === 0 && queued.length > 0) {
      const { gang } = queued[random.below(queued.length)]!
      machine.updateQueued({ ...gang, priority: random.below(3) })
    } else if (kind === 1 && queued.length > 0) {
      const { gang } = queued[random.below(queued.length)]!
      machine.dequeue(gang.workload, gang.replica)
    } else if (kind === 2) {
      const node = this.node(random.below(9)).id
      const index = machine.fleet.tree.nodeIndex.get(node)
      const isEmpty =
        index !== undefined && machine.fleet.onNode[index]!.every(({ attempt }) => attempt === undefined)
      if (isEmpty) machine.removeNode(node)
    } else {
      machine.setQueue(aQueue('lender', { guaranteedGpus: random.below(32), weight: 1 + random.below(3) }))
    }
  }

  private editWindows(): void {
    const { machine, random, now } = this
    const name = id<ReservationId>(`window${random.below(3)}`)
    if (random.next() < 0.3) {
      machine.removeReservation(name)
      return
    }
    const from = now + (random.below(12) - 4) * HOUR_MS
    const isForSomebody = random.next() < 0.6
    machine.setReservation({
      id: name,
      kind: isForSomebody ? 'reserved' : 'maintenance',
      from,
      to: from + (1 + random.below(8)) * HOUR_MS,
      nodes:
        random.next() < 0.5
          ? { domain: ['pod0', `block${random.below(2)}`] }
          : [this.node(random.below(9)).id, this.node(random.below(9)).id],
      ...(isForSomebody && { owners: { queues: [id('lender')], users: [id(`u${random.below(3)}`)] } }),
      reason: 'a test',
    })
  }

  private node(n: number) {
    return aNode(`n${n}`, [`pod${n >> 2}`, `block${n >> 1}`], n === 7 ? 4 : 8)
  }

  /** The same state, told to a new machine in another order. */
  rebuilt(): Machine {
    const { machine } = this
    const other = new Machine(['pod', 'block', 'node'])
    other.setPolicy(this.policy, 0)
    for (const { description, state } of [...machine.fleet.nodes.values()].reverse())
      other.setNode(description, state)
    for (const { queue } of [...machine.queues.records.values()].reverse()) other.setQueue(queue)
    for (const reservation of [...machine.reservations.values()].reverse()) other.setReservation(reservation)
    loadMemory(other, memoryRows(machine).values())
    const { tree } = machine.fleet
    for (const [attempt, occupant] of [...machine.live].reverse()) {
      const { footprint, gang, startedAt, stopping } = occupant
      const parts = footprint.nodes.map((n, p) => ({
        node: tree.nodeIds[n]!,
        gpus: footprint.gpus[p]!,
        ...(footprint.milli < 1000 && { milliGpus: footprint.milli }),
      }))
      const boundMs = occupant.endsAt - startedAt
      other.start(gang, { attempt, allocation: { parts }, startedAt, boundMs, stopping })
    }
    for (const { gang } of [...machine.waiting.entries.values()].reverse()) other.enqueue(gang)
    for (const { hold } of [...machine.held.values()].reverse())
      if (machine.gang(hold.workload, hold.replica)) other.placeHold(hold)
    return other
  }

  /** What the machine keeps. */
  kept() {
    const { machine } = this
    const { capacity, tree, nodeEndsAt, onNode } = machine.fleet
    return {
      nodes: tree.nodeIds.map((node, n) => ({
        node,
        free: capacity.nodeFree[n],
        milli: capacity.milliFree[n],
        gpus: [...capacity.gpuFree.subarray(tree.gpuStart[n]!, tree.gpuStart[n + 1]!)],
        isOpen: capacity.closed[n] === 0,
        endsAt: nodeEndsAt[n],
        occupants: onNode[n]!.map(({ gang }) => gang.workload).sort(),
      })),
      buckets: [...capacity.buckets],
      openMilli: [...capacity.openMilli],
      held: [...machine.queues.records.values()]
        .map(({ queue, heldMilli }) => [queue.id, heldMilli] as const)
        .sort(byId),
      heldInAll: machine.queues.heldMilli,
      line: machine.waiting.bands.map(({ priority, root }) => [priority, inLine(root)]),
      total: machine.fleet.totalMilli,
    }
  }

  /** The same, counted from the nodes, the live attempts, the holds and the queued gangs alone. */
  counted(): ReturnType<World['kept']> {
    const { machine } = this
    const { tree, capacity } = machine.fleet
    const all = [
      ...machine.live.values(),
      ...[...machine.held.values()].flatMap(({ occupants }) => occupants),
    ]
    const nodes = tree.nodeIds.map((node, n) => {
      const { description, state } = machine.fleet.nodes.get(node)!
      const here = all.filter(({ footprint }) => footprint.nodes.includes(n))
      const gpus = Array.from({ length: description.gpuCount }, (_, g) => {
        const takers = here.filter(({ footprint }) => footprint.gpus[footprint.nodes.indexOf(n)]!.includes(g))
        return takers.reduce((free, { footprint }) => free - footprint.milli, 1000)
      })
      return {
        node,
        free: gpus.filter((free) => free === 1000).length,
        milli: gpus.reduce((sum, free) => sum + free, 0),
        gpus,
        isOpen: state === 'ready',
        endsAt: Math.max(Number.NEGATIVE_INFINITY, ...here.map(({ endsAt }) => endsAt)),
        occupants: here.map(({ gang }) => gang.workload as string).sort(),
      }
    })
    const buckets = Array.from({ length: capacity.buckets.length }, () => 0)
    nodes.forEach(({ free, isOpen }, n) => {
      if (!isOpen) return
      for (let d = tree.nodeDomain[n]!; d >= 0; d = tree.domainParent[d]!)
        buckets[capacity.bucket(tree.nodeClass[n]!, d) + free]!++
    })
    const held = [...machine.queues.records.values()].map(({ queue }) => {
      const mine = all.filter(({ gang }) => gang.queue === queue.id)
      return [queue.id, mine.reduce((sum, { gpuMilli }) => sum + gpuMilli, 0)] as const
    })
    const inTheLine = [...machine.waiting.entries.values()].filter(({ lane }) => lane !== undefined)
    const priorities = [...new Set(inTheLine.map(({ gang }) => gang.priority))].sort((a, b) => b - a)
    return {
      nodes: nodes as ReturnType<World['kept']>['nodes'],
      buckets,
      openMilli: tree.classes.map((_, c) =>
        nodes.reduce((sum, { milli, isOpen }, n) => sum + (isOpen && tree.nodeClass[n] === c ? milli : 0), 0),
      ),
      held: held.sort(byId),
      heldInAll: all.reduce((sum, { gpuMilli }) => sum + gpuMilli, 0),
      line: priorities.map((priority) => {
        const here = inTheLine.filter(({ gang }) => gang.priority === priority)
        const path = ({ gang, classKey }: (typeof here)[number]) =>
          machine.policy.ordering === 'fair' ? `${gang.queue}\n@${gang.user}\n${classKey}` : classKey
        here.sort((a, b) => (path(a) < path(b) ? -1 : path(a) > path(b) ? 1 : inOrder(a, b)))
        return [priority, here.map(({ gang }) => gang.workload)]
      }),
      total: [...machine.fleet.nodes.values()].reduce(
        (sum, { description, state }) => sum + (state === 'down' ? 0 : description.gpuCount * 1000),
        0,
      ),
    }
  }
}

function byId([a]: readonly [string, number], [b]: readonly [string, number]): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function inLine(group: Machine['waiting']['bands'][number]['root']): string[] {
  return [
    ...[...group.lanes].flatMap(({ entries }) => [...entries].map(({ gang }) => gang.workload)),
    ...[...group.groups].flatMap((child) => inLine(child)),
  ]
}
