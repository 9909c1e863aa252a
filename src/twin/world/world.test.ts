import { describe, expect, it } from 'vitest'
import { HOUR_MS, SECOND_MS } from '../../base/index.ts'
import type { LoggedEvent } from '../../control/index.ts'
import { chaosSetup } from '../chaos/draw.ts'
import { Insight } from '../report/insight.ts'
import { plainCluster } from '../scenario/plain-cluster.ts'
import { policyByName } from '../scenario/policies.ts'
import type { TraceJob } from '../traces/job-trace.ts'
import { type SimulatedJob, simulateTraceJobs } from './simulated-job.ts'
import { World } from './world.ts'
import type { WorldSetup } from './world-setup.ts'

interface Options {
  readonly policy?: string
  readonly nodes?: number
  readonly gpus?: number
  readonly startMs?: number
}

/** Jobs as `[submit, gpus, seconds]` on a plain cluster. */
function aSetup(jobs: readonly (readonly [number, number, number])[], options: Options = {}): WorldSetup {
  const { policy, needsRunTimes } = policyByName(options.policy ?? 'fifo')!
  const trace = jobs.map(
    ([submit, gpus, seconds], i): TraceJob => ({
      id: `j${i}`,
      submitMs: submit * 1000,
      gpus,
      durationMs: seconds * 1000,
      tenant: 't',
    }),
  )
  return {
    seed: 1,
    startMs: 0,
    ...plainCluster(options.nodes ?? 1, options.gpus ?? 8),
    policy,
    jobs: simulateTraceJobs(trace, {
      declareRunTime: needsRunTimes,
      startMs: () => options.startMs ?? 0,
      saveMs: 0,
      graceMs: 0,
      preemptible: true,
    }),
  }
}

function play(setup: WorldSetup): [number | undefined, number | undefined][] {
  const insight = new Insight(setup, 1)
  new World(setup, [insight]).run()
  return insight.log.jobs.map(({ firstStartAt, endedAt }) => [firstStartAt, endedAt])
}

describe('World', () => {
  it('[T35] under an order by reports goes by them once they tell how long a job is', () => {
    // Four hours are guessed of each when it comes.
    const first = [0, 8, 72_000] as const
    const shorter = [1_000, 8, 100] as const
    const longer = [2_000, 8, 108_000] as const
    expect(play(aSetup([first, shorter, longer], { policy: 'srsf-by-reports' }))).toEqual([
      [0, 72_130_000],
      [1_000_000, 1_100_000],
      // It has run for half a minute when it is known to be longer.
      [2_000_000, 180_100_000],
    ])
  })

  it('[T7] runs jobs for exactly their run time, freed GPUs going at once to who waits', () => {
    expect(
      play(
        aSetup([
          [0, 8, 10],
          [1, 4, 5],
          [2, 4, 5.5],
          [2, 8, 1],
        ]),
      ),
    ).toEqual([
      [0, 10_000],
      [10_000, 15_000],
      [10_000, 15_500],
      [15_500, 16_500],
    ])
  })

  it('[T7] lets each start cost the job time, while it holds its GPUs', () => {
    expect(
      play(
        aSetup(
          [
            [0, 8, 10],
            [0, 8, 10],
          ],
          { startMs: 25 * SECOND_MS },
        ),
      ),
    ).toEqual([
      [0, 35_000],
      [35_000, 70_000],
    ])
  })

  it('[T7] ends jobs of no length in the instant they start', () => {
    expect(play(aSetup([[3, 8, 0]]))).toEqual([[3000, 3000]])
  })

  it('[T29] ends a job at its time limit, though nothing else happens then', () => {
    const { jobs, ...setup } = aSetup([
      [0, 8, 7200],
      [1, 8, 10],
    ])
    const [first, second] = jobs
    const limited = { ...first!, spec: { ...first!.spec, limitMs: HOUR_MS } }
    expect(play({ ...setup, jobs: [limited, second!] })).toEqual([
      [0, HOUR_MS],
      [HOUR_MS, HOUR_MS + 10_000],
    ])
  })

  it('[T32] submits jobs that belong together as one, which is taken or refused as a whole', () => {
    const { jobs, ...setup } = aSetup([
      [0, 8, 10],
      [0, 8, 10],
      [5, 8, 10],
    ])
    const [first, second, third] = jobs
    const submissions = (member: SimulatedJob) => {
      const found: number[] = []
      const onEvents = (events: readonly LoggedEvent[]) => {
        const count = events.filter(({ event }) => event.kind === 'workload-submitted').length
        if (count > 0) found.push(count)
      }
      const world = new World({ ...setup, jobs: [first!, { ...member, joinsBefore: true }, third!] }, [
        { onEvents },
      ])
      world.run()
      return { found, refused: world.refused.length, open: world.openJobs }
    }
    expect(submissions(second!)).toEqual({ found: [2, 1], refused: 0, open: 0 })
    const spec = { ...second!.spec, dependsOn: ['nobody'] } as SimulatedJob['spec']
    expect(submissions({ ...second!, spec })).toEqual({ found: [1], refused: 2, open: 0 })
  })

  it('[T8] stops at its horizon with work left', () => {
    const world = new World({ ...aSetup([[0, 8, 7200]]), horizonMs: HOUR_MS })
    world.run()
    expect([world.openJobs, world.nowMs <= HOUR_MS]).toEqual([1, true])
  })

  it('[T3] takes the same steps from the same setup, and others from another seed', () => {
    const hashOf = (seed: number) => {
      const world = new World(chaosSetup(seed).setup)
      world.run(400)
      return world.hash.digest()
    }
    expect(hashOf(11)).toBe(hashOf(11))
    expect(hashOf(11)).not.toBe(hashOf(12))
  })

  it.each([21, 22, 23, 24])(
    '[T9] goes on from a record in the middle as if nothing had been (seed %i)',
    (seed) => {
      const { setup } = chaosSetup(seed)
      const events: LoggedEvent[] = []
      const whole = new World(setup, [{ onEvents: (more) => void events.push(...more) }])
      whole.run(300)
      const record = JSON.parse(JSON.stringify(whole.record()))
      const before = events.length
      whole.run(300)
      const resumedEvents: LoggedEvent[] = []
      const resumed = World.resume(setup, record, [{ onEvents: (more) => void resumedEvents.push(...more) }])
      resumedEvents.length = 0
      resumed.run(300)
      expect(resumedEvents).toEqual(events.slice(before))
      expect(resumed.hash.digest()).toBe(whole.hash.digest())
    },
  )

  it('[T14] submits each job once, however often the server dies', () => {
    const drawn = chaosSetup(31)
    const control = {
      crashesPerDay: 500,
      restartMs: SECOND_MS,
      lostContactPerDay: 0,
      lostContactMs: 0,
      storeStallsPerDay: 50,
      storeStallMs: SECOND_MS,
      lateShare: 0,
      lateMs: 0,
      duplicateShare: 0,
    }
    let restarts = 0
    const submitted: string[] = []
    const setup = { ...drawn.setup, controlFaults: control, actions: [] }
    const world = new World(setup, [
      {
        onRestart: () => void restarts++,
        onEvents: (events) => {
          for (const { event } of events)
            if (event.kind === 'workload-submitted') submitted.push(event.spec.name)
        },
      },
    ])
    const lastMs = setup.jobs.at(-1)!.submitMs
    while (world.nowMs < lastMs + HOUR_MS && world.run(1) === 1);
    expect(restarts).toBeGreaterThan(20)
    const acknowledged = world.acknowledged.filter((workload) => workload !== undefined)
    expect(acknowledged.length + world.refused.length).toBe(setup.jobs.length)
    expect(submitted).toHaveLength(new Set(submitted).size)
    for (const workload of acknowledged) expect(world.store?.has(workload)).toBe(true)
  })
})
