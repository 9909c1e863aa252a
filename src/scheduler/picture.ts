/** Builders for tests: machines drawn as text. */
import type { AttemptId, NodeId, QueueId, UserId, WorkloadId } from '../base/index.ts'
import { id } from '../base/index.ts'
import type { Allocation, NodeDescription, Policy, Queue, ResourceRequest } from '../model/index.ts'
import { DEFAULT_POLICY, openQueue } from '../model/index.ts'
import type { LiveAttempt, QueuedGang } from './gang.ts'
import { Machine } from './machine.ts'
import type { Plan } from './plan.ts'

/**
 * A machine with the levels `block > node`. Each line is a block: its name, then one word for each node with a
 * character for each GPU: `.` is free, a letter the live gang of that name. A word that starts with `!` is a node
 * that is down, with `~` one that drains. Nodes are named `block.1`, `block.2` ...
 */
export function aMachine(picture: string, options: MachineOptions = {}): Machine {
  const machine = new Machine(['block', 'node'], { ...DEFAULT_POLICY, ...options.policy })
  for (const queue of options.queues ?? []) machine.setQueue(queue)
  const parts = new Map<string, { node: NodeId; gpus: number[] }[]>()
  for (const line of lines(picture)) {
    const [block = '', ...words] = line.split(/\s+/)
    words.forEach((word, w) => {
      const gpus = word.replace(/^[!~]/, '')
      const node = id<NodeId>(`${block}.${w + 1}`)
      const state = word.startsWith('!') ? 'down' : word.startsWith('~') ? 'draining' : 'ready'
      machine.setNode(aNode(node, [block], gpus.length), state)
      for (const letter of new Set(gpus.replaceAll('.', ''))) {
        const indices = gpus.split('').flatMap((gpu, g) => (gpu === letter ? [g] : []))
        parts.set(letter, [...(parts.get(letter) ?? []), { node, gpus: indices }])
      }
    })
  }
  for (const letter of [...parts.keys()].sort()) {
    const allocation = { parts: parts.get(letter)! }
    startLive(machine, letter, allocation, options.live?.[letter])
  }
  for (const gang of options.queued ?? []) machine.enqueue(gang)
  return machine
}

export interface MachineOptions {
  readonly policy?: Partial<Policy>
  readonly queues?: readonly Queue[]
  readonly live?: Readonly<Record<string, Partial<QueuedGang & LiveAttempt>>>
  readonly queued?: readonly QueuedGang[]
}

export function aNode(node: string, domains: readonly string[], gpuCount = 8): NodeDescription {
  return {
    id: id<NodeId>(node),
    domains,
    gpuModel: 'H100-80GB',
    gpuCount,
    gpuMemoryBytes: 80e9,
    cpuCount: 96,
    memoryBytes: 1024 * 2 ** 30,
    nicCount: 8,
    address: node,
  }
}

/** A queued gang; `want` is `4 nodes`, `3 gpus`, `2 nodes x 4` or `0.25 gpu`. */
export function aGang(workload: string, want: string, more: Partial<QueuedGang> = {}): QueuedGang {
  return {
    workload: id<WorkloadId>(workload),
    replica: 0,
    queue: id<QueueId>('q'),
    user: id<UserId>('u'),
    priority: 1,
    submittedAt: 0,
    request: aRequest(want),
    preemptible: true,
    notBefore: 0,
    waitsFor: [],
    avoid: [],
    attainedGpuMs: 0,
    ...more,
  }
}

export function aRequest(want: string, more: Partial<ResourceRequest> = {}): ResourceRequest {
  const nodes = /^(\d+) nodes?(?: x (\d+))?$/.exec(want)
  if (nodes) {
    const gpusPerNode = nodes[2] === undefined ? {} : { gpusPerNode: Number(nodes[2]) }
    return { shape: { kind: 'nodes', nodes: Number(nodes[1]), ...gpusPerNode }, ...more }
  }
  const gpus = Number(/^([\d.]+) gpus?$/.exec(want)![1])
  if (gpus % 1 !== 0) return { shape: { kind: 'fraction', milliGpus: gpus * 1000 }, ...more }
  return { shape: { kind: 'gpus', gpus }, ...more }
}

function startLive(
  machine: Machine,
  workload: string,
  allocation: Allocation,
  more: Partial<QueuedGang & LiveAttempt> = {},
): void {
  const gpus = allocation.parts.reduce((sum, part) => sum + part.gpus.length, 0)
  const attempt = id<AttemptId>(`${workload}.1`)
  const gang = aGang(workload, `${gpus} gpus`, more)
  machine.start(gang, { attempt, allocation, startedAt: 0, stopping: false, ...more })
}

export function aQueue(queue: string, more: Partial<Queue> = {}): Queue {
  return { ...openQueue(id<QueueId>(queue)), ...more }
}

/** The machine as `aMachine` reads it, with the plan's starts on it: each gang by the last letter of its id. */
export function drawn(machine: Machine, plan?: Plan): string {
  const { tree } = machine.fleet
  const cells = tree.descriptions.map((node) => Array.from({ length: node.gpuCount }, () => '.'))
  const draw = (workload: string, allocation: Allocation) => {
    for (const part of allocation.parts)
      for (const g of part.gpus) cells[tree.nodeIndex.get(part.node)!]![g] = workload.slice(-1)
  }
  for (const occupant of machine.live.values()) {
    const { nodes, gpus } = occupant.footprint
    const parts = nodes.map((n, p) => ({ node: tree.nodeIds[n]!, gpus: gpus[p]! }))
    draw(occupant.gang.workload, { parts })
  }
  for (const start of plan?.starts ?? []) draw(start.workload, start.allocation)
  const blocks: string[] = []
  for (let d = tree.depthStart[tree.leafDepth]!; d < tree.domainCount; d++) {
    const words = cells.slice(tree.firstNode[d]!, tree.endNode[d]!).map((cell) => cell.join(''))
    blocks.push([tree.domainNames[d]!, ...words].join(' '))
  }
  return blocks.join('\n')
}

/** Does to the machine what `control` would do with the plan; returns the attempts that it started. */
export function apply(machine: Machine, plan: Plan, now: number): AttemptId[] {
  const standing = new Set(plan.holds.map((hold) => hold.id))
  for (const held of machine.held.keys()) if (!standing.has(held)) machine.releaseHold(held)
  for (const hold of plan.holds) if (!machine.held.has(hold.id)) machine.placeHold(hold)
  for (const { attempt } of plan.evictions) machine.updateLive(attempt, { stopping: true })
  return plan.starts.map((start) => {
    const { gang } = machine.waiting.get(start.workload, start.replica)!
    const attempt = id<AttemptId>(`${gang.workload}.${gang.replica}.${now}`)
    machine.start(gang, { attempt, allocation: start.allocation, startedAt: now, stopping: false })
    return attempt
  })
}

/** The attempt has ended; a gang that was evicted goes back into the line, as `control` would put it. */
export function endAttempt(machine: Machine, attempt: string, now: number): void {
  const { gang, stopping, gpuMilli, startedAt } = machine.attempt(id<AttemptId>(attempt))
  machine.end(id<AttemptId>(attempt), now, { completed: !stopping })
  if (!stopping) return
  const attainedGpuMs = gang.attainedGpuMs + (gpuMilli / 1000) * (now - startedAt)
  machine.enqueue({ ...gang, attainedGpuMs })
}

/** A picture without its indentation. */
export function picture(text: string): string {
  return lines(text).join('\n')
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}
