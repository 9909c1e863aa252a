import { describe, expect, it } from 'vitest'
import type { NodeId } from '../base/index.ts'
import { HOUR_MS, id } from '../base/index.ts'
import { aTraining, ControlInMemory } from './builders.ts'
import type { EngineFact } from './ports/index.ts'
import { needsPass } from './scheduling-triggers.ts'

const aForeign = (gpus: readonly number[], holder = 'Slurm job 7 of ada'): EngineFact => ({
  kind: 'node-foreign',
  node: id<NodeId>('n1'),
  gpus,
  holder,
  at: 0,
})
const wanting = (gpus: number) => aTraining({ resources: { shape: { kind: 'gpus', gpus } } })

describe('what others than Banyan hold on a node', () => {
  it('[C20] is never given to an attempt, and starts what waits when it is given back', () => {
    const control = new ControlInMemory()
    control.observe(aForeign([4, 5, 6, 7]))
    expect(control.state.nodes.get(id<NodeId>('n1'))?.foreign).toMatchObject({ holder: 'Slurm job 7 of ada' })
    control.submit(wanting(5))
    expect(control.pass()).toEqual([])
    control.submit(wanting(4))
    expect(control.pass()).toHaveLength(1)
    expect([...control.state.attempts.values()][0]?.allocation.parts[0]?.gpus).toEqual([0, 1, 2, 3])
    control.observe(aForeign([], ''))
    expect(needsPass(control.log.slice(-1))).toBe(true)
    expect(control.state.nodes.get(id<NodeId>('n1'))).not.toHaveProperty('foreign')
  })

  it('[C20] is no news the second time', () => {
    const control = new ControlInMemory()
    control.observe(aForeign([7]))
    const { length } = control.log
    control.observe(aForeign([7]))
    expect(control.log).toHaveLength(length)
  })

  it('[C20] waits for GPUs that an attempt has, and takes them when it ends', () => {
    const control = new ControlInMemory()
    control.submit(wanting(8))
    control.pass()
    control.observe(aForeign([0, 1]))
    const [attempt] = [...control.state.attempts.values()]
    control.observe({ kind: 'attempt-ended', attempt: attempt!.id, at: control.now, exits: [] })
    control.submit(wanting(7))
    expect(control.pass()).toEqual([])
    control.submit(wanting(6))
    expect(control.pass()).toHaveLength(1)
  })

  it('[C20] is nothing for which anybody would be ended', () => {
    const control = new ControlInMemory()
    control.running(aTraining({ ...wanting(8), priority: 'low' }))
    control.submit(aTraining({ ...wanting(8), priority: 'high' }))
    control.now += HOUR_MS
    control.observe(aForeign([7]))
    expect(control.pass()).toEqual([])
    control.observe(aForeign([], ''))
    expect(control.pass()).toMatchObject([{ kind: 'stop' }])
  })

  it('[C20] leaves the rest of a place to those for whom its attempt is ended', () => {
    const control = new ControlInMemory()
    control.running(aTraining({ ...wanting(8), priority: 'low' }))
    control.submit(aTraining({ ...wanting(7), priority: 'high' }))
    control.now += HOUR_MS
    control.observe(aForeign([3]))
    expect(control.pass()).toMatchObject([{ kind: 'stop' }])
    const [hold] = control.state.holds.values()
    expect(hold?.allocation.parts[0]?.gpus).toEqual([0, 1, 2, 4, 5, 6, 7])
  })
})
