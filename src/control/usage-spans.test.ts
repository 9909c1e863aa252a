import { describe, expect, it } from 'vitest'
import type { AttemptId, NodeId, WorkloadId } from '../base/index.ts'
import { HOUR_MS, id, MINUTE_MS } from '../base/index.ts'
import { ADA, aNode, aService, aTraining, ControlInMemory } from './builders.ts'
import { openSpans } from './usage-spans.ts'

const W1 = id<WorkloadId>('w1')
const LOST = {
  kind: 'node-lost',
  message: 'the node is gone',
  node: id<NodeId>('n1'),
  blame: 'platform',
} as const

describe('usage spans', () => {
  it('[C25] tell a wait, a start, work and what a platform failure took, once each', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2')])
    control.submit(aTraining({ resources: { shape: { kind: 'gpus', gpus: 8 } } }))
    control.now += 10 * MINUTE_MS
    control.pass()
    const attempt = id<AttemptId>('w1.1')
    control.now += 2 * MINUTE_MS
    control.observe({ kind: 'attempt-running', attempt, at: control.now, address: '' })
    const ranAt = control.now
    control.now += 30 * MINUTE_MS
    const savedAt = control.now
    control.observe({
      kind: 'attempt-progress',
      attempt,
      progress: { at: savedAt, step: 10 },
      checkpoint: { at: savedAt, step: 10, path: '/ckpt/10' },
    })
    control.now += 5 * MINUTE_MS
    control.observe({ kind: 'attempt-ended', attempt, at: control.now, exits: [], cause: LOST })
    const common = { workload: W1, owner: ADA, milliGpus: 8_000 }
    const ofAttempt = { ...common, attempt, gpuModel: 'H100-80GB' }
    expect(control.spans).toEqual([
      { ...common, gpuModel: '', cause: 'queue', from: ranAt - 12 * MINUTE_MS, to: ranAt - 2 * MINUTE_MS },
      { ...ofAttempt, cause: 'start', from: ranAt - 2 * MINUTE_MS, to: ranAt },
      { ...ofAttempt, cause: 'work', from: ranAt, to: savedAt },
      { ...ofAttempt, cause: 'platform-failure', from: savedAt, to: savedAt + 5 * MINUTE_MS },
    ])
  })

  it('[S7] [C25] starting again after a platform failure is not billed', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2')])
    const first = control.running(aTraining())
    control.observe({ kind: 'attempt-ended', attempt: first, at: control.now, exits: [], cause: LOST })
    control.now += MINUTE_MS
    control.pass()
    const again = id<AttemptId>('w1.2')
    control.now += 4 * MINUTE_MS
    control.observe({ kind: 'attempt-running', attempt: again, at: control.now, address: '' })
    control.now += HOUR_MS
    control.ended(again, { exitCode: 0 })
    expect(control.workload(W1).usage).toEqual({
      held: HOUR_MS + 4 * MINUTE_MS,
      billed: HOUR_MS,
      lost: 4 * MINUTE_MS,
    })
    expect(control.spans.filter(({ attempt }) => attempt === again).map(({ cause }) => cause)).toEqual([
      'restart',
      'work',
    ])
  })

  it('[C25] a replica that is cut off after it has served is billed until then', () => {
    const control = new ControlInMemory([aNode('n1'), aNode('n2')])
    const replica = control.running(aService())
    control.now += HOUR_MS
    control.observe({ kind: 'attempt-ended', attempt: replica, at: control.now, exits: [], cause: LOST })
    expect(control.workload(W1).usage).toEqual({ held: HOUR_MS, billed: HOUR_MS, lost: 0 })
  })

  it('[C25] what has not ended is told as of now', () => {
    const control = new ControlInMemory()
    control.running(aTraining({ resources: { shape: { kind: 'gpus', gpus: 8 } } }))
    control.submit(aTraining({ name: 'waits', resources: { shape: { kind: 'nodes', nodes: 2 } } }))
    control.pass()
    control.now += HOUR_MS
    expect(openSpans(control.state, control.now)).toMatchObject([
      { workload: 'w1', cause: 'work', milliGpus: 8_000, to: control.now },
      { workload: 'w2', cause: 'queue', milliGpus: 16_000, from: control.now - HOUR_MS, to: control.now },
    ])
  })
})

describe('prices', () => {
  const set = (currency: string, since: number, H100: number) =>
    ({ kind: 'set-prices', currency, list: { since, perGpuHour: { H100 } } }) as const

  it('[C21] a list replaces what was said of its time and later', () => {
    const control = new ControlInMemory()
    control.do(set('EUR', 0, 2))
    control.do(set('EUR', 1_000, 3))
    control.do(set('EUR', 500, 4))
    expect(control.state.prices).toEqual({
      currency: 'EUR',
      lists: [
        { since: 0, perGpuHour: { H100: 2 } },
        { since: 500, perGpuHour: { H100: 4 } },
      ],
    })
    expect(control.restored().prices).toEqual(control.state.prices)
  })

  it('[C21] another currency needs prices from the beginning', () => {
    const control = new ControlInMemory()
    control.do(set('EUR', 0, 2))
    expect(control.rejection(set('USD', 1_000, 3))).toMatchObject({
      code: 'invalid-prices',
      message: expect.stringContaining('in EUR') as string,
    })
    control.do(set('USD', 0, 3))
    expect(control.state.prices.currency).toBe('USD')
  })
})
