import { describe, expect, it } from 'vitest'
import type { AttemptId, WorkloadId } from '../base/index.ts'
import { HOUR_MS, MINUTE_MS } from '../base/index.ts'
import { DEFAULT_POLICY } from '../model/index.ts'
import { aTraining, ControlInMemory } from './builders.ts'
import { serialiseState } from './records.ts'
import { needsPass } from './scheduling-triggers.ts'

const WHOLE_NODE = { shape: { kind: 'gpus', gpus: 8 } } as const

/** A node on which each run so far took a tenth of what was declared for it, with one queued from before that was known. */
function aControlThatHasLearned(): { control: ControlInMemory; early: WorkloadId } {
  const control = new ControlInMemory()
  control.do({
    kind: 'set-policy',
    policy: { ...DEFAULT_POLICY, ordering: 'shortest', runTimes: 'predicted' },
  })
  const run = () => control.running(aTraining({ resources: WHOLE_NODE, expectedMs: 10 * MINUTE_MS }))
  let running = run()
  const early = control.submit(aTraining({ name: 'early', resources: WHOLE_NODE, expectedMs: HOUR_MS }))
  for (let past = 0; past < 6; past++) {
    control.now += MINUTE_MS
    control.ended(running, {})
    running = run()
  }
  return { control, early }
}

/** The workloads that start when one after the other runs on the node for a minute. */
function startsOf(control: ControlInMemory): WorkloadId[] {
  const order: WorkloadId[] = []
  for (;;) {
    for (const attempt of Array.from(control.state.attempts.keys())) {
      control.now += MINUTE_MS
      control.ended(attempt, {})
    }
    control.pass()
    const [attempt] = control.state.attempts.values()
    if (!attempt) return order
    order.push(attempt.workload)
  }
}

describe('[S5] the order of the queue', () => {
  it('is the same after a restart, though more is known of past runs than when it was made', () => {
    const { control, early } = aControlThatHasLearned()
    const late = control.submit(aTraining({ name: 'late', resources: WHOLE_NODE, expectedMs: 2 * HOUR_MS }))
    expect(serialiseState(control.restored())).toBe(serialiseState(control.state))
    expect(control.replayed()).toBe(serialiseState(control.state))
    control.restart()
    // Twelve minutes are predicted of the late one, and were not known to be too many when the early one declared its hour.
    expect(startsOf(control)).toEqual([late, early])
  })

  it('[C29] is by what programs have reported, also of what was evicted since and after a restart', () => {
    const control = new ControlInMemory()
    const policy = {
      ...DEFAULT_POLICY,
      ordering: 'shortest',
      runTimes: 'predicted',
      preemptByOrdering: true,
    } as const
    control.do({ kind: 'set-policy', policy: { ...policy, minimumRunMs: 0 } })
    const tell = (attempt: AttemptId, step: number, totalSteps: number, saved?: number) => {
      control.now += MINUTE_MS
      const checkpoint =
        saved === undefined ? {} : { checkpoint: { at: control.now, step: saved, path: '/c' } }
      control.observe({
        kind: 'attempt-progress',
        attempt,
        progress: { at: control.now, step, totalSteps },
        ...checkpoint,
      })
    }
    const timeLeft = () => [...control.state.workloads.values()].map((workload) => workload.timeLeft?.ms)
    const long = control.running(aTraining({ resources: WHOLE_NODE, expectedMs: MINUTE_MS }))
    control.submit(aTraining({ name: 'hour', resources: WHOLE_NODE, expectedMs: HOUR_MS }))
    control.pass()
    expect(control.state.holds.size).toBe(0)
    tell(long, 1, 1_000)
    expect(needsPass(control.log.slice(-1))).toBe(false)
    tell(long, 2, 1_000, 2)
    // It has 998 minutes to go, not the one that was declared, so that the other takes its place.
    expect(needsPass(control.log.slice(-1))).toBe(true)
    tell(long, 3, 1_000)
    expect(needsPass(control.log.slice(-1))).toBe(false)
    control.pass()
    expect(control.state.holds.size).toBe(1)
    control.ended(long, { stopped: true })
    expect(timeLeft()).toEqual([998 * MINUTE_MS, undefined])
    expect(serialiseState(control.restored())).toBe(serialiseState(control.state))
    control.restart()
    control.submit(aTraining({ name: 'day', resources: WHOLE_NODE, expectedMs: 12 * HOUR_MS }))
    expect(startsOf(control)).toEqual(['w2', 'w3', 'w1'])
  })

  it('goes on with the clock of past use as a policy that is applied with queues has set it', () => {
    const { control } = aControlThatHasLearned()
    control.now += HOUR_MS
    const policy = { ...control.state.policy, usageHalfLifeMs: 2 * HOUR_MS }
    control.do({
      kind: 'apply-policy',
      policy,
      queues: [],
      replaces: { policy: control.state.policy, queues: [] },
    })
    expect(serialiseState(control.restored())).toBe(serialiseState(control.state))
  })
})
