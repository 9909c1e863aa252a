import type { EndpointTrafficView, EndpointView, NodeView, QueueView, WorkloadView } from '../api/index.ts'
import type { ControlState } from '../control/index.ts'
import type { Attempt, Node, Queue, ResourceShape, User, Workload } from '../model/index.ts'
import { allocatedGpus, isFinal, maySee, NODE_ACTIONS, stepMsOf, WORKLOAD_ACTIONS } from '../model/index.ts'

const finishedViews = new WeakMap<Workload, WorkloadView>()

/** A workload as the API shows it. Of a finished one it is the same frozen view each time, so that its text can be kept. */
export function workloadView(state: ControlState, workload: Workload): WorkloadView {
  if (!isFinal(workload.state)) return newView(state, workload)
  const before = finishedViews.get(workload)
  if (before?.gpus === gpusAsked(workload, state)) return before
  const view = Object.freeze(newView(state, workload))
  finishedViews.set(workload, view)
  return view
}

function newView(state: ControlState, workload: Workload): WorkloadView {
  const live = workload.liveAttempts.flatMap((id) => state.attempts.get(id) ?? [])
  const held = live.reduce((gpus, attempt) => gpus + allocatedGpus(attempt.allocation), 0)
  const endsAt = expectedEnd(workload, live)
  const pace = paceOf(workload, live)
  return {
    ...workload,
    gpus: held > 0 ? held : gpusAsked(workload, state),
    actions: [...WORKLOAD_ACTIONS[workload.state]],
    ...(endsAt !== undefined ? { endsAt } : {}),
    ...(pace ? { pace } : {}),
    ...(workload.spec.type === 'serve'
      ? { readyReplicas: live.filter((attempt) => attempt.ready).length }
      : {}),
  }
}

/** By the pace of this attempt's progress, else by the user's own estimate. */
function expectedEnd(workload: Workload, live: readonly Attempt[]): number | undefined {
  const [attempt] = live
  if (workload.spec.type !== 'train' || attempt?.runningAt === undefined) return undefined
  const { progress } = attempt
  const first = attempt.resumedFromStep ?? 0
  const totalSteps = progress?.totalSteps ?? workload.spec.planned?.steps
  if (progress && totalSteps !== undefined && progress.step > first) {
    const msPerStep = stepMsOf(attempt) ?? (progress.at - attempt.runningAt) / (progress.step - first)
    return Math.round(progress.at + msPerStep * Math.max(0, totalSteps - progress.step))
  }
  return workload.spec.expectedMs === undefined ? undefined : attempt.runningAt + workload.spec.expectedMs
}

/** What was planned for a step, and what the steps of the live attempt take. */
function paceOf({ spec }: Workload, [attempt]: readonly Attempt[]): WorkloadView['pace'] {
  if (spec.type !== 'train' || !spec.planned || !attempt) return undefined
  const { stepMs, relativeError } = spec.planned
  const measuredStepMs = stepMsOf(attempt)
  if (measuredStepMs === undefined) return { plannedStepMs: stepMs }
  const ratio = measuredStepMs / stepMs
  return {
    plannedStepMs: stepMs,
    measuredStepMs,
    ratio,
    isWithinBand: Math.abs(ratio - 1) <= relativeError,
  }
}

function gpusAsked(workload: Workload, state: ControlState): number {
  const { spec } = workload
  const each = gpusOfShape(spec.resources.shape, state)
  return spec.type === 'serve' ? each * spec.replicas : each
}

/** GPUs that a shape takes; whole nodes count as the largest node there is. */
function gpusOfShape(shape: ResourceShape, state: ControlState): number {
  if (shape.kind === 'gpus') return shape.gpus
  if (shape.kind === 'fraction') return shape.milliGpus / 1000
  if (shape.gpusPerNode !== undefined) return shape.nodes * shape.gpusPerNode
  const { classes } = state.derived.machine.fleet.tree
  return shape.nodes * Math.max(0, ...classes.map(({ gpuCount }) => gpuCount))
}

/** Attempts by the node they stand on, made once for a list of nodes. */
export function attemptsByNode(state: ControlState): ReadonlyMap<string, readonly Attempt[]> {
  const byNode = new Map<string, Attempt[]>()
  for (const attempt of state.attempts.values()) {
    for (const part of attempt.allocation.parts) {
      const there = byNode.get(part.node)
      if (there) there.push(attempt)
      else byNode.set(part.node, [attempt])
    }
  }
  return byNode
}

/** A node with what is on it; whose it is only where the reader may see that (S9). */
export function nodeView(
  state: ControlState,
  node: Node,
  reader: User,
  attempts: readonly Attempt[] = attemptsByNode(state).get(node.id) ?? [],
): NodeView {
  let allocatedMilliGpus = 0
  const visible: NodeView['attempts'][number][] = []
  for (const attempt of attempts) {
    const part = attempt.allocation.parts.find((candidate) => candidate.node === node.id)
    if (!part) continue
    allocatedMilliGpus += part.gpus.length * (part.milliGpus ?? 1000)
    const workload = state.workloads.get(attempt.workload)
    if (!workload || !maySee(reader, workload.owner)) continue
    visible.push({
      attempt: attempt.id,
      workload: attempt.workload,
      gpus: [...part.gpus],
      ...(part.milliGpus !== undefined ? { milliGpus: part.milliGpus } : {}),
    })
  }
  const actions = reader.role === 'operator' ? [...NODE_ACTIONS[node.state]] : []
  return { ...node, allocatedMilliGpus, attempts: visible, actions }
}

/** The queues with what each holds and what waits in it, those below counted in; parents before children. */
export function queueViews(state: ControlState): QueueView[] {
  const sums = new Map<string, { held: number; queued: number; running: number; waiting: number }>()
  for (const queue of state.queues.keys()) sums.set(queue, { held: 0, queued: 0, running: 0, waiting: 0 })
  for (const workload of state.workloads.values()) {
    const held = workload.liveAttempts.reduce((gpus, id) => {
      const attempt = state.attempts.get(id)
      return attempt ? gpus + allocatedGpus(attempt.allocation) : gpus
    }, 0)
    for (let at: Queue | undefined = state.queues.get(workload.queue); at; at = parentOf(state, at)) {
      const sum = sums.get(at.id)!
      sum.held += held
      if (workload.state === 'queued') {
        sum.waiting++
        sum.queued += gpusAsked(workload, state)
      } else {
        sum.running++
      }
    }
  }
  return [...state.queues.values()]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((queue) => {
      const sum = sums.get(queue.id)!
      return {
        ...queue,
        heldGpus: sum.held,
        queuedGpus: sum.queued,
        runningWorkloads: sum.running,
        queuedWorkloads: sum.waiting,
      }
    })
}

function parentOf(state: ControlState, queue: Queue): Queue | undefined {
  return queue.parent === undefined ? undefined : state.queues.get(queue.parent)
}

/** The organisation that a queue belongs to: the first part of its id. */
export function organisationOfQueue(queue: string): string {
  return queue.split('/', 1)[0] ?? queue
}

/** Served models, in the order of their workloads. */
export function endpointViews(
  state: ControlState,
  reader: User,
  outstanding: ReadonlyMap<string, number>,
  recent: ReadonlyMap<string, EndpointTrafficView>,
): EndpointView[] {
  const views: EndpointView[] = []
  for (const workload of state.workloads.values()) {
    const { spec } = workload
    if (spec.type !== 'serve' || !maySee(reader, workload.owner)) continue
    const attempts = workload.liveAttempts.flatMap((id) => state.attempts.get(id) ?? [])
    const traffic = recent.get(workload.id)
    views.push({
      model: spec.model,
      workload: workload.id,
      name: spec.name,
      owner: workload.owner,
      state: workload.state,
      wantedReplicas: spec.replicas,
      readyReplicas: attempts.filter((attempt) => attempt.ready).length,
      ...(traffic ? { traffic } : {}),
      replicas: attempts.map((attempt) => {
        const waiting = outstanding.get(attempt.id)
        return {
          replica: attempt.replica,
          attempt: attempt.id,
          state: attempt.state,
          ready: attempt.ready,
          nodes: attempt.allocation.parts.map((part) => part.node),
          ...(attempt.address !== undefined ? { address: attempt.address } : {}),
          ...(waiting !== undefined ? { outstanding: waiting } : {}),
        }
      }),
    })
  }
  return views
}
