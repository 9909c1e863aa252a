import { describe, expect, it } from 'vitest'
import { id, MINUTE_MS } from '../base/index.ts'
import type { TrainSpec } from '../model/index.ts'
import { aNode, aTraining, ControlInMemory } from './builders.ts'
import { serialiseState } from './records.ts'

const elastic: Partial<TrainSpec> = {
  name: 'elastic',
  resources: { shape: { kind: 'nodes', nodes: 2 }, elastic: { min: 1, max: 2 } },
  checkpoint: { path: '/saves', graceMs: MINUTE_MS },
  limitMs: 600 * MINUTE_MS,
}
const oneNode = { resources: { shape: { kind: 'nodes', nodes: 1 } } } as const

function aPair(): ControlInMemory {
  return new ControlInMemory([aNode('n1'), aNode('n2')])
}

describe('[C19] an elastic gang', () => {
  it('grows by starting again on a place that is held for it, and is charged nothing for that', () => {
    const control = aPair()
    const other = control.running(aTraining(oneNode))
    const first = control.running(aTraining(elastic))
    expect(control.attempt(first).allocation.parts).toHaveLength(1)
    control.observe({
      kind: 'attempt-progress',
      attempt: first,
      progress: { at: control.now, step: 5 },
      checkpoint: { at: control.now, step: 5, path: '/saves/5' },
    })
    control.ended(other, { exitCode: 0 })
    control.now += 40 * MINUTE_MS
    const [stop] = control.pass()
    expect(stop).toEqual({ kind: 'stop', attempt: first, how: { signal: 'SIGTERM', graceMs: MINUTE_MS } })
    expect(control.log.at(-1)).toMatchObject({
      event: {
        kind: 'attempt-stopping',
        stop: { actor: { kind: 'scheduler' }, reason: 'resized', for: 'w2', resize: { from: 1, to: 2 } },
      },
    })
    expect([...control.state.holds.values()]).toMatchObject([{ workload: 'w2', waitsFor: [first] }])

    control.restart()
    control.ended(first, { signal: 'SIGTERM', stopped: true })
    expect(control.workload(id('w2'))).toMatchObject({
      state: 'queued',
      stateReason: 'w2.1 ended to grow from 1 to 2',
      userFailures: 0,
      platformFailures: 0,
    })
    const [launch] = control.pass()
    expect(launch).toMatchObject({ kind: 'launch', order: { attempt: 'w2.2', checkpointDir: '/saves' } })
    expect(control.attempt(id('w2.2'))).toMatchObject({
      allocation: { parts: [{ node: 'n1' }, { node: 'n2' }] },
      resumedFromStep: 5,
    })
    const { usage, outcome } = control.attempt(first)
    expect(outcome).toBe('preempted')
    expect(usage!.billed).toBe(usage!.held - usage!.lost)
    expect(control.replayed()).toBe(serialiseState(control.state))
  })

  it('[S3] shrinks to its minimum for another, in the plan that holds both places', () => {
    const control = aPair()
    const first = control.running(aTraining(elastic))
    expect(control.attempt(first).allocation.parts).toHaveLength(2)
    control.now += 20 * MINUTE_MS
    control.submit(aTraining({ ...oneNode, priority: 'high' }))
    control.pass()
    expect(control.attempt(first).stop).toMatchObject({
      reason: 'resized',
      for: 'w2',
      resize: { from: 2, to: 1 },
    })
    expect([...control.state.holds.values()].map(({ workload }) => workload).sort()).toEqual(['w1', 'w2'])
    control.ended(first, { signal: 'SIGTERM', stopped: true })
    expect(
      control
        .pass()
        .map((effect) => effect.kind === 'launch' && effect.order.workload)
        .sort((a, b) => (String(a) < String(b) ? -1 : 1)),
    ).toEqual(['w1', 'w2'])
    expect(control.attempt(id('w1.2')).allocation.parts).toHaveLength(1)
  })
})
