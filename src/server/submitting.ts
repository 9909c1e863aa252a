import type { ContractOf, Fault, HandlerInput, Submitted } from '../api/index.ts'
import type { TeamId, WorkloadId } from '../base/index.ts'
import { id } from '../base/index.ts'
import type { Command } from '../control/index.ts'
import type { FinalWorkloadState, Owner, User, Workload, WorkloadSpec } from '../model/index.ts'
import { isFinal, teamId } from '../model/index.ts'
import type { ParsedSpec, SpecProblem } from '../model/spec/index.ts'
import { didYouMean, formatSpecProblem, parseSpec, unsupportedFields } from '../model/spec/index.ts'
import { sha256 } from './caller.ts'
import type { CallContext } from './context.ts'
import { withForecast } from './explaining.ts'
import { execute } from './find.ts'
import { outlookOf } from './outlook.ts'
import { ProblemError } from './problem-error.ts'
import { runPlanner } from './run-planner.ts'
import { workloadView } from './views.ts'

type SubmitInput = HandlerInput<ContractOf<'submitWorkload'>>

/**
 * Takes a submission, or says what would become of it when it is a dry run. A submission does not wait for what is
 * being written, as reads do: those that come meanwhile form the next batch.
 */
export async function submit(context: CallContext, input: SubmitInput): Promise<Submitted> {
  if (input.dryRun) await context.ledger.settled()
  const parsed = parse(context, input)
  const owner = ownerOf(context, input.team ?? parsed.team)
  if (input.dryRun) {
    return {
      dryRun: true,
      replayed: false,
      workloads: [],
      specs: parsed.specs,
      outlook: parsed.specs.map((spec) => outlookOf(context, owner, spec)),
    }
  }
  return take(context, owner, parsed.specs, sha256(JSON.stringify(input)))
}

/** Submits what a final workload was made of once more; a `train` workload finds its checkpoints where they are. */
export async function resubmit(context: CallContext, workload: Workload): Promise<Submitted> {
  if (!isFinal(workload.state)) {
    throw new ProblemError(
      'wrong-state',
      `${workload.id} is ${workload.state}; only what has ended can be resubmitted.`,
      {
        hint: `banyan stop ${workload.id} ends it.`,
      },
    )
  }
  const owner: Owner = { ...workload.owner, user: context.caller.user.id }
  return take(context, owner, [workload.spec], sha256(`resubmit ${workload.id}`))
}

interface Submission {
  readonly key: string
  readonly requestHash: string
}

interface Taken {
  readonly workloads: readonly WorkloadId[]
  readonly replayed: boolean
}

async function take(
  context: CallContext,
  owner: Owner,
  specs: readonly WorkloadSpec[],
  requestHash: string,
): Promise<Submitted> {
  const { idempotencyKey: key } = context
  const taken =
    key === undefined
      ? await takeNow(context, owner, specs)
      : await takeOnce(context, { key, requestHash }, () =>
          takeNow(context, owner, specs, { key, requestHash }),
        )
  return answer(context, taken)
}

/** Submissions under way by user and key, from before the store is asked until it holds them. */
const underWay = new Map<string, { readonly requestHash: string; readonly taken: Promise<Taken> }>()

/** Takes the first of several calls with the same key; the others, now or years later, get what it made. */
async function takeOnce(
  context: CallContext,
  submission: Submission,
  takeFirst: () => Promise<Taken>,
): Promise<Taken> {
  const name = `${context.caller.user.id} ${submission.key}`
  const running = underWay.get(name)
  if (running) {
    if (running.requestHash !== submission.requestHash) throw keyReused(submission.key)
    return { ...(await running.taken), replayed: true }
  }
  const taken = earlierSubmission(context, submission).then((earlier) => earlier ?? takeFirst())
  underWay.set(name, { requestHash: submission.requestHash, taken })
  try {
    return await taken
  } finally {
    underWay.delete(name)
  }
}

async function takeNow(
  context: CallContext,
  owner: Owner,
  specs: readonly WorkloadSpec[],
  submission?: Submission,
): Promise<Taken> {
  const ended = await endedDependencies(context, owner, specs)
  const command: Command = { kind: 'submit', owner, specs, ended, ...(submission ? { submission } : {}) }
  const events = await execute(context, command)
  const workloads = events.flatMap(({ event }) => (event.kind === 'workload-submitted' ? event.workload : []))
  return { workloads, replayed: false }
}

async function earlierSubmission(
  context: CallContext,
  { key, requestHash }: Submission,
): Promise<Taken | undefined> {
  const record = await context.store.submission(context.caller.user.id, key)
  if (!record) return undefined
  if (record.requestHash === requestHash) return { workloads: record.workloads, replayed: true }
  throw keyReused(key)
}

function keyReused(key: string): ProblemError {
  return new ProblemError(
    'idempotency-key-reused',
    `The idempotency key "${key}" was used for another submission.`,
    {
      hint: 'Use a new key for a new submission.',
    },
  )
}

async function answer(context: CallContext, { workloads: ids, replayed }: Taken): Promise<Submitted> {
  const { ledger, store } = context
  const workloads = await Promise.all(
    ids.map(async (workload) => ledger.state.workloads.get(workload) ?? (await store.workload(workload))),
  )
  const views = workloads.flatMap((workload) =>
    workload ? withForecast(context, workloadView(ledger.state, workload)) : [],
  )
  return { dryRun: false, replayed, workloads: views, specs: [], outlook: [] }
}

function parse(context: CallContext, input: SubmitInput): ParsedSpec {
  const text = typeof input.spec === 'string' ? input.spec : JSON.stringify(input.spec)
  const { file, folder, set } = input
  const parsed = parseSpec(text, { file, folder, set, planner: runPlanner(context) })
  if (!parsed.ok) throw invalidSpec(parsed.error)
  const unsupported = unsupportedFields(parsed.value, {
    ...context.capabilities,
    levels: context.ledger.state.cluster.levels,
  })
  if (unsupported.length > 0) throw invalidSpec(unsupported)
  return parsed.value
}

/** The specs of edits and submissions that are only tried: parsed and checked in the same way. */
export function parseForTrial(
  context: CallContext,
  spec: SubmitInput['spec'],
  team: string | undefined,
): { readonly owner: Owner; readonly specs: readonly WorkloadSpec[] } {
  const parsed = parse(context, { spec, file: 'spec', set: {}, folder: '/', team, dryRun: true })
  return { owner: ownerOf(context, team ?? parsed.team), specs: parsed.specs }
}

function invalidSpec(problems: readonly SpecProblem[]): ProblemError {
  const faults: Fault[] = problems.map(({ field, message, file, line, column }) => ({
    field,
    message,
    file,
    ...(line !== undefined ? { line } : {}),
    ...(column !== undefined ? { column } : {}),
  }))
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new ProblemError(
    'invalid-spec',
    `${first ? formatSpecProblem(first) : 'The spec has errors'}${more}`,
    {
      hint: 'docs/spec.md lists every field.',
      errors: faults,
    },
  )
}

/** The team that is charged: the one named, or the caller's first. */
function ownerOf(context: CallContext, named: string | undefined): Owner {
  const { user } = context.caller
  const [first] = user.teams
  const team = named === undefined ? first : fullTeamId(user, named)
  if (!team) {
    throw new ProblemError('invalid-request', `${user.id} is in no team, so that nobody could be charged.`, {
      hint: 'Ask an admin to put you into one, or name one with --team.',
    })
  }
  const known = context.ledger.state.teams.get(team)
  const visible = known && (user.role === 'operator' || known.organisation === user.organisation)
  if (!visible) {
    throw new ProblemError('not-found', `There is no team "${team}"${didYouMean(team, user.teams)}.`, {
      hint:
        user.teams.length > 0 ? `Your teams: ${user.teams.join(', ')}.` : 'Ask an admin to put you into one.',
    })
  }
  if (user.role === 'member' && !user.teams.includes(team)) {
    throw new ProblemError('forbidden', `You are not in ${team}.`, {
      hint: `Your teams: ${user.teams.join(', ')}.`,
    })
  }
  return { organisation: known.organisation, team, user: user.id }
}

function fullTeamId(user: User, team: string): TeamId {
  return team.includes('/') ? id<TeamId>(team) : teamId(user.organisation, team)
}

/** How the dependencies that are no longer live ended, by id or by the newest of the name. */
async function endedDependencies(
  { store }: CallContext,
  owner: Owner,
  specs: readonly WorkloadSpec[],
): Promise<ReadonlyMap<string, { readonly id: WorkloadId; readonly state: FinalWorkloadState }>> {
  const ended = new Map<string, { readonly id: WorkloadId; readonly state: FinalWorkloadState }>()
  const references = new Set(specs.flatMap((spec) => (spec.type === 'train' ? spec.dependsOn : [])))
  for (const reference of references) {
    const byId = await store.workload(id<WorkloadId>(reference))
    const mine = byId?.owner.organisation === owner.organisation ? byId : undefined
    const { organisation } = owner
    const found = mine ?? (await store.workloads({ organisation, name: reference, limit: 1 })).items[0]
    if (found && isFinal(found.state)) ended.set(reference, { id: found.id, state: found.state })
  }
  return ended
}
