import { describe, expect, it } from 'vitest'
import type { QueueId } from '../base/index.ts'
import { id, present } from '../base/index.ts'
import { DEFAULT_POLICY, type Queue } from '../model/index.ts'
import { ControlInMemory } from './builders.ts'
import { serialiseState } from './records.ts'

function queueOf({ state }: ControlInMemory, name: string, over: Partial<Queue> = {}): Queue {
  return { ...present(state.queues.get(id<QueueId>(name)), name), ...over }
}

describe('policy and queues that are applied together', () => {
  it('[C24] are one event, whatever the order in which the queues are named', () => {
    const control = new ControlInMemory()
    const replaces = { policy: control.state.policy, queues: [queueOf(control, 'acme/research')] }
    const policy = { ...DEFAULT_POLICY, holdDepth: 7 }
    const queues = [
      queueOf(control, 'acme/research', { guaranteedGpus: 4 }),
      queueOf(control, 'acme', { guaranteedGpus: 4 }),
    ]
    const { length } = control.log
    control.do({ kind: 'apply-policy', policy, queues, replaces })
    expect(control.log.slice(length)).toMatchObject([
      {
        cause: 'apply-policy',
        actor: { kind: 'user', id: 'ada' },
        event: { kind: 'policy-applied', policy, queues },
      },
    ])
    expect(control.state.policy).toEqual(policy)
    expect(queueOf(control, 'acme/research').guaranteedGpus).toBe(4)
    expect(control.replayed()).toBe(serialiseState(control.state))
    expect(serialiseState(control.restored())).toBe(serialiseState(control.state))
  })

  it('[C24] change nothing where one of them cannot be kept', () => {
    const control = new ControlInMemory()
    const before = serialiseState(control.state)
    const refusal = control.rejection({
      kind: 'apply-policy',
      policy: { ...DEFAULT_POLICY, holdDepth: 7 },
      queues: [
        queueOf(control, 'acme', { guaranteedGpus: 2 }),
        queueOf(control, 'acme/research', { guaranteedGpus: 4 }),
      ],
      replaces: { queues: [] },
    })
    expect(refusal.code).toBe('invalid-queue')
    expect(serialiseState(control.state)).toBe(before)
  })

  it('[C24] are refused when a queue or the policy is not what they were made from', () => {
    const control = new ControlInMemory()
    const replaces = { policy: control.state.policy, queues: [queueOf(control, 'acme')] }
    const queues = [queueOf(control, 'acme', { weight: 3 })]
    control.do({ kind: 'set-queue', queue: queueOf(control, 'acme', { weight: 2 }) })
    expect(control.rejection({ kind: 'apply-policy', queues, replaces }).message).toContain('queue "acme"')
    control.do({ kind: 'set-policy', policy: { ...DEFAULT_POLICY, holdDepth: 7 } })
    const onlyPolicy = { policy: DEFAULT_POLICY, queues: [] }
    expect(control.rejection({ kind: 'apply-policy', ...onlyPolicy, replaces: onlyPolicy })).toEqual({
      code: 'stale',
      message: 'The policy was changed meanwhile. Nothing was changed by this; look at the preview again.',
    })
  })
})
