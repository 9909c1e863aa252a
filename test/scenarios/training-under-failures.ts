import { DAY_MS, type DurationMs, MINUTE_MS, SECOND_MS } from '../../src/base/index.ts'
import { assemble, EMPTY_SCENARIO, Insight, type Scenario, World } from '../../src/twin/index.ts'

const RESTART_MS = 5 * MINUTE_MS
const SAVE_MS = 30 * SECOND_MS
const DAYS = 400
/** Failures per node and day on RSC-1 (arXiv 2410.21680). */
const FAILURES_PER_NODE_DAY = 6.5e-3

/** One gang that trains under RSC-1's failures and saves its work at even spans. */
export interface TrainingUnderFailures {
  readonly nodes: number
  readonly everyMs: DurationMs
}

/** The share of 400 days of its nodes that went into work which was kept, in the twin. */
export function simulatedEffectiveTime({ nodes, everyMs }: TrainingUnderFailures): number {
  const scenario: Scenario = {
    ...EMPTY_SCENARIO,
    horizonMs: DAYS * DAY_MS,
    // Spare nodes stand in for those under repair, so that the run is never short of nodes.
    cluster: { kind: 'plain', nodes: nodes + 16, gpus: 8, gpuModel: 'H100-80GB' },
    workloads: [
      {
        kind: 'jobs',
        name: 'training',
        tenant: 'team',
        count: 1,
        everyMs: 0,
        size: { nodes },
        work: { runMs: 10 * DAYS * DAY_MS },
        priority: 'normal',
        preemptible: true,
        retryUser: 0,
        checkpoint: { everyMs, costMs: SAVE_MS, graceMs: 0 },
      },
    ],
    startCost: { fromMs: RESTART_MS, toMs: RESTART_MS },
    faults: { rates: ['rsc1'], scale: 1 },
  }
  const made = assemble(scenario, { texts: new Map() })
  if (!made.ok) throw new Error(made.error)
  const insight = new Insight(made.value.setup, 0)
  const world = new World(made.value.setup, [insight])
  world.run()
  const useful = insight.report(world).waste.find(({ cause }) => cause === 'useful')?.gpuHours ?? 0
  return useful / (nodes * 8 * DAYS * 24)
}

/** The same by Meta's formula (arXiv 2410.21680): (1 - N r (u + d/2)) / (1 + w/d). */
export function expectedEffectiveTime({ nodes, everyMs }: TrainingUnderFailures): number {
  const failuresPerMs = (nodes * FAILURES_PER_NODE_DAY) / DAY_MS
  return (1 - failuresPerMs * (RESTART_MS + everyMs / 2)) / (1 + SAVE_MS / everyMs)
}
