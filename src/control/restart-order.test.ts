import { describe, expect, it } from 'vitest'
import type { WorkloadId } from '../base/index.ts'
import { HOUR_MS, MINUTE_MS } from '../base/index.ts'
import { DEFAULT_POLICY } from '../model/index.ts'
import { aTraining, ControlInMemory } from './builders.ts'
import { serialiseState } from './records.ts'

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
