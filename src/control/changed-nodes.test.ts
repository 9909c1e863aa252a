import { describe, expect, it } from 'vitest'
import { HOUR_MS, id } from '../base/index.ts'
import { SYSTEM } from '../model/index.ts'
import { aNode, aTraining, ControlInMemory } from './builders.ts'
import { decide } from './decide/index.ts'
import { DEFAULT_FAILURE_CLASSES } from './default-failure-classes.ts'
import type { EngineFact } from './ports/index.ts'
import { serialiseState } from './records.ts'

const wanting = (gpus: number) => aTraining({ resources: { shape: { kind: 'gpus', gpus } } })
const aChange = (over: Parameters<typeof aNode>[1]): EngineFact => ({
  kind: 'node-present',
  node: aNode('n1', over),
  at: 0,
})
const gpusOf = (control: ControlInMemory) =>
  [...control.state.attempts.values()].map(({ allocation }) => allocation.parts[0]?.gpus)

describe('[C28] a node that is no longer what it was', () => {
  it('keeps what stands on GPUs that it lost until its engine says that it ended, and gives them to nobody', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2')])
    const attempt = control.running(wanting(8))
    control.submit(wanting(8))
    control.pass()
    control.observe(aChange({ gpuCount: 2 }))
    expect(control.state.attempts.get(attempt)?.state).toBe('running')
    control.submit(wanting(1))
    control.pass()
    expect(control.state.attempts.size).toBe(2)
    control.ended(attempt, {})
    control.submit(wanting(3))
    control.pass()
    // One of the two GPUs that are left is taken, and three are nowhere.
    expect(gpusOf(control)).toEqual([[0, 1, 2, 3, 4, 5, 6, 7], [0]])
    expect(serialiseState(control.restored())).toBe(serialiseState(control.state))
  })

  it('gives out at once what is left of it and free', () => {
    const control = new ControlInMemory()
    const first = control.running(wanting(4))
    control.running(wanting(4))
    control.ended(first, {})
    control.observe(aChange({ gpuCount: 2 }))
    control.submit(wanting(2))
    expect(control.pass()).toHaveLength(1)
    expect(gpusOf(control)).toEqual([
      [4, 5, 6, 7],
      [0, 1],
    ])
    control.observe(aChange({}))
    control.submit(wanting(3))
    expect(control.pass()).toEqual([])
    control.submit(wanting(2))
    expect(control.pass()).toHaveLength(1)
    expect(gpusOf(control).at(-1)).toEqual([2, 3])
  })

  it.each<[string, EngineFact]>([
    ['it has changed', aChange({ domains: ['there'] })],
    ['others use it', { kind: 'node-foreign', node: id('n1'), gpus: [7], holder: 'job 7', at: 0 }],
  ])('is held for nobody where %s', (_, fact) => {
    const control = new ControlInMemory()
    control.running(aTraining({ ...wanting(4), priority: 'low' }))
    const wants = control.submit(aTraining({ ...wanting(8), priority: 'high' }))
    control.now += HOUR_MS
    control.pass()
    const [hold] = control.state.holds.values()
    expect(hold?.workload).toBe(wants)
    // Not by the helper: its safety check cannot know why the hold is gone before its victim is.
    const command = { kind: 'observe', facts: [fact], complete: false } as const
    const context = { now: control.now, actor: SYSTEM, failureClasses: DEFAULT_FAILURE_CLASSES }
    const decision = decide(control.state, command, context)
    expect(decision.ok && decision.events.map(({ event }) => event)).toMatchObject([
      { kind: 'hold-released', hold: hold?.id },
      { kind: fact.kind === 'node-present' ? 'node-described' : 'node-foreign' },
    ])
  })
})
