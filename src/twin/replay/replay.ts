import type { DurationMs, WorkloadId } from '../../base/index.ts'
import type { NodeDescription, Policy, Queue } from '../../model/index.ts'
import { Insight } from '../report/insight.ts'
import { mean, quantile } from '../report/summary.ts'
import { World } from '../world/world.ts'
import type { LoggedWork } from './read-log.ts'

/** The machine that the work is done on again. */
export interface ReplayMachine {
  readonly levels: readonly string[]
  readonly nodes: readonly NodeDescription[]
  /** Settings of queues, parents before children. */
  readonly queues: readonly Queue[]
}

export interface ReplayFigures {
  readonly meanWaitS: number
  readonly p90WaitS: number
  /** Share of the machine's GPU-time that attempts held. */
  readonly utilisation: number
  readonly evictions: number
}

/** When one workload first started in the log's span, under either policy; it had not by the end where that is absent. */
export interface ReplayedStart {
  readonly workload: WorkloadId
  readonly name: string
  readonly waitBeforeMs?: DurationMs
  readonly waitAfterMs?: DurationMs
}

export interface Replay {
  readonly jobs: number
  readonly before: ReplayFigures
  readonly after: ReplayFigures
  /** Those whose start moves by more than a minute, what moves most first. */
  readonly changes: readonly ReplayedStart[]
  readonly earlier: number
  readonly later: number
  readonly same: number
}

const NOTICED_MS = 60_000

/** The same work under two policies, from the same beginning: what differs is the policy's doing. */
export function replay(work: LoggedWork, machine: ReplayMachine, before: Policy, after: Policy): Replay {
  const first = play(work, machine, before)
  const second = play(work, machine, after)
  const changes: ReplayedStart[] = []
  let earlier = 0
  let later = 0
  let same = 0
  work.recorded.forEach(({ workload, name }, job) => {
    const waits = [first.waits.get(job), second.waits.get(job)]
    if (work.jobs[job]!.submitMs <= work.fromMs) return
    const gain = (waits[0] ?? first.longestMs) - (waits[1] ?? first.longestMs)
    if (Math.abs(gain) <= NOTICED_MS) {
      same++
      return
    }
    if (gain > 0) earlier++
    else later++
    changes.push({
      workload,
      name,
      ...(waits[0] !== undefined ? { waitBeforeMs: waits[0] } : {}),
      ...(waits[1] !== undefined ? { waitAfterMs: waits[1] } : {}),
    })
  })
  const moved = ({ waitBeforeMs, waitAfterMs }: ReplayedStart) =>
    Math.abs((waitBeforeMs ?? first.longestMs) - (waitAfterMs ?? first.longestMs))
  changes.sort((a, b) => moved(b) - moved(a) || (a.workload < b.workload ? -1 : 1))
  return {
    jobs: work.jobs.length,
    before: first.figures,
    after: second.figures,
    changes,
    earlier,
    later,
    same,
  }
}

function play(work: LoggedWork, { levels, nodes, queues }: ReplayMachine, policy: Policy) {
  const { fromMs, toMs, jobs, actions } = work
  const organisations = new Set(jobs.map(({ organisation }) => `${organisation}`))
  const teams = new Set(jobs.map(({ organisation, tenant }) => `${organisation}/${tenant}`))
  const known = new Set(nodes.map(({ id }) => id))
  const setup = {
    seed: 1,
    startMs: fromMs,
    levels,
    nodes,
    policy,
    queues: queues.filter(({ id }) => organisations.has(id) || teams.has(id)),
    jobs,
    actions: actions.filter(({ what }) => what.kind === 'node' && known.has(what.node)),
    horizonMs: toMs - fromMs,
  }
  const insight = new Insight(setup, 0)
  const world = new World(setup, [insight])
  world.run()
  const waits = new Map<number, DurationMs>()
  let evictions = 0
  for (const { workload, submittedAt, firstStartAt, preemptions } of insight.log.jobs) {
    evictions += preemptions
    if (firstStartAt !== undefined) waits.set(world.jobOf.get(workload) ?? -1, firstStartAt - submittedAt)
  }
  const longestMs = toMs - fromMs
  // What had not started by the end has waited at least until then.
  const all = jobs
    .flatMap(({ submitMs }, job) => (submitMs > fromMs ? [waits.get(job) ?? toMs - submitMs] : []))
    .sort((a, b) => a - b)
  const { utilisation } = insight.report(world).summary
  const figures = { meanWaitS: mean(all) / 1000, p90WaitS: quantile(all, 0.9) / 1000, utilisation, evictions }
  return { waits, longestMs, figures }
}
