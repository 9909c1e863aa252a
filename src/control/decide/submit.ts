import type { Draft, WorkloadId } from '../../base/index.ts'
import { id } from '../../base/index.ts'
import type { Owner, WorkloadSpec } from '../../model/index.ts'
import type { Command } from '../command.ts'
import type { Rejection } from '../effect.ts'
import type { Event } from '../event.ts'
import type { Recorder } from '../recorder.ts'
import type { ControlState } from '../state.ts'

type Submit = Extract<Command, { kind: 'submit' }>

/** Takes all workloads of one submission, or none. */
export function submit(recorder: Recorder, command: Submit): Rejection | undefined {
  const { state } = recorder
  const { owner } = command
  if (!state.teams.has(owner.team)) {
    const teams = [...state.teams.keys()].filter((team) => team.startsWith(`${owner.organisation}/`)).sort()
    return {
      code: 'no-such-team',
      message: `There is no team "${owner.team}". Teams of ${owner.organisation}: ${teams.join(', ') || 'none yet'}.`,
    }
  }
  const resolved: WorkloadId[][] = []
  for (const spec of command.specs) {
    const taken = modelNameTaken(state, owner, spec)
    if (taken) return taken
    const waitsFor = resolveDependencies(state, command, spec)
    if (!Array.isArray(waitsFor)) return waitsFor
    resolved.push(waitsFor)
  }
  command.specs.forEach((spec, i) => {
    const submitted: Draft<Extract<Event, { kind: 'workload-submitted' }>> = {
      kind: 'workload-submitted',
      workload: id<WorkloadId>(`w${state.nextWorkloadNumber}`),
      owner,
      spec,
      waitsFor: resolved[i] ?? [],
    }
    if (command.submission) submitted.submission = command.submission
    recorder.emit(submitted)
  })
  return undefined
}

/** One organisation has at most one live workload behind a model name, so that requests have one place to go. */
function modelNameTaken(state: ControlState, owner: Owner, spec: WorkloadSpec): Rejection | undefined {
  if (spec.type !== 'serve') return undefined
  for (const other of state.workloads.values()) {
    if (other.owner.organisation !== owner.organisation || other.spec.type !== 'serve') continue
    if (other.spec.model !== spec.model) continue
    return {
      code: 'model-name-taken',
      message:
        `The model "${spec.model}" is already served by ${other.id} (${other.spec.name}). ` +
        `Stop it first, scale it, or choose another name in "model".`,
    }
  }
  return undefined
}

/** The live workloads that must still succeed; those that have succeeded already are left out. */
function resolveDependencies(
  state: ControlState,
  command: Submit,
  spec: WorkloadSpec,
): WorkloadId[] | Rejection {
  if (spec.type !== 'train') return []
  const waitsFor: WorkloadId[] = []
  for (const reference of spec.dependsOn) {
    const live = findLive(state, command.owner, reference)
    if (live) {
      if (!waitsFor.includes(live)) waitsFor.push(live)
      continue
    }
    const ended = command.ended.get(reference)
    if (!ended) {
      return {
        code: 'no-such-dependency',
        message: `"${spec.name}" depends on "${reference}", but you have no workload with that id or name.`,
      }
    }
    if (ended.state !== 'succeeded') {
      return {
        code: 'dependency-failed',
        message: `"${spec.name}" depends on ${ended.id}, which ${ended.state === 'failed' ? 'failed' : 'was cancelled'}. Resubmit that one first.`,
      }
    }
  }
  return waitsFor
}

/** By id, or the newest of that name in the same organisation. */
function findLive(state: ControlState, owner: Owner, reference: string): WorkloadId | undefined {
  const byId = state.workloads.get(id<WorkloadId>(reference))
  if (byId) return byId.owner.organisation === owner.organisation ? byId.id : undefined
  let found: WorkloadId | undefined
  for (const workload of state.workloads.values()) {
    if (workload.owner.organisation === owner.organisation && workload.spec.name === reference) {
      found = workload.id
    }
  }
  return found
}
