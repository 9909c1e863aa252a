import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { AttemptId, NodeId, WorkloadId } from '../base/index.ts'
import { id, MINUTE_MS, SECOND_MS } from '../base/index.ts'
import type { PriorityClass } from '../model/index.ts'
import { PRIORITY_CLASSES } from '../model/index.ts'
import { planPass } from '../scheduler/index.ts'
import { aNode, aService, aTraining, ControlInMemory } from './builders.ts'
import { serialiseState } from './records.ts'

type Step = (control: ControlInMemory) => void

/** The nth of what there is, so that any number names something that exists. */
function pick<Item>(items: Iterable<Item>, n: number): Item | undefined {
  const all = [...items]
  return all.length === 0 ? undefined : all[n % all.length]
}

function tolerant(step: Step): Step {
  return (control) => {
    try {
      step(control)
    } catch (error) {
      // A rejection is an answer; a broken rule is not.
      if (!(error instanceof Error && 'rejection' in error)) throw error
    }
  }
}

const number = fc.nat(1_000)
const priority = fc.constantFrom<PriorityClass>(...PRIORITY_CLASSES)

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ gpus: fc.integer({ min: 1, max: 24 }), priority, user: fc.nat(2), limited: fc.boolean() }).map(
    ({ gpus, priority, user, limited }): Step =>
      (control) => {
        control.submit(
          aTraining({
            priority,
            resources: { shape: { kind: 'gpus', gpus } },
            retry: { user, platform: 3 },
            ...(limited ? { limitMs: 10 * MINUTE_MS } : {}),
          }),
        )
      },
  ),
  number.map(
    (n): Step =>
      (control) => {
        const on = pick(control.state.workloads.keys(), n)
        control.submit(aTraining({ dependsOn: on ? [on] : [] }))
      },
  ),
  number.map(
    (n): Step =>
      (control) => {
        control.submit(aService({ model: `m${n}`, replicas: 1 + (n % 3) }))
      },
  ),
  fc.constant<Step>((control) => control.pass()),
  fc.constant<Step>((control) => control.do({ kind: 'tick' })),
  fc.integer({ min: 1, max: 40 * MINUTE_MS }).map(
    (ms): Step =>
      (control) => {
        control.now += ms
      },
  ),
  number.map(
    (n): Step =>
      (control) => {
        const attempt = pick(control.state.attempts.values(), n)
        if (attempt)
          control.observe({ kind: 'attempt-running', attempt: attempt.id, at: control.now, address: 'h:1' })
      },
  ),
  fc.record({ n: number, exitCode: fc.constantFrom(0, 1, 137), late: fc.boolean() }).map(
    ({ n, exitCode, late }): Step =>
      (control) => {
        const attempt = pick(control.state.attempts.values(), n)
        const ended = attempt?.id ?? id<AttemptId>('w1.1')
        control.ended(ended, {
          exitCode,
          stopped: attempt?.stop !== undefined,
          at: control.now - (late ? SECOND_MS : 0),
        })
      },
  ),
  number.map(
    (n): Step =>
      (control) => {
        const attempt = pick(control.state.attempts.values(), n)
        if (!attempt) return
        control.observe({
          kind: 'attempt-progress',
          attempt: attempt.id,
          progress: { at: control.now, step: n, ...(n % 3 ? { totalSteps: 2 * n } : {}) },
          ...(n % 2 ? { checkpoint: { at: control.now, step: n, path: `/c/${n}` } } : {}),
        })
      },
  ),
  fc.record({ n: number, kill: fc.boolean() }).map(
    ({ n, kill }): Step =>
      (control) => {
        const workload = pick(control.state.workloads.keys(), n) ?? id<WorkloadId>('w0')
        control.do({ kind: 'stop', workload, kill })
      },
  ),
  fc.record({ n: number, ready: fc.boolean() }).map(
    ({ n, ready }): Step =>
      (control) => {
        const attempt = pick(control.state.attempts.values(), n)
        if (attempt && control.state.workloads.get(attempt.workload)?.spec.type === 'serve') {
          control.do({ kind: 'probe', attempt: attempt.id, ready, detail: '' })
        }
      },
  ),
  fc.record({ n: number, replicas: fc.nat(4) }).map(
    ({ n, replicas }): Step =>
      (control) => {
        const workload = pick(control.state.workloads.keys(), n)
        if (workload) control.do({ kind: 'scale', workload, replicas })
      },
  ),
  fc.record({ n: number, action: fc.constantFrom('cordon', 'drain', 'resume') }).map(
    ({ n, action }): Step =>
      (control) => {
        const node = pick(control.state.nodes.keys(), n)
        if (node) control.do({ kind: 'node-action', node, action: action as 'cordon', reason: 'test' })
      },
  ),
  fc.record({ n: number, to: fc.constantFrom('n1', 'n2', 'n4', 'n5') }).map(
    ({ n, to }): Step =>
      (control) => {
        const node = pick(control.state.nodes.keys(), n)
        if (node) control.do({ kind: 'rename-node', node, to: id<NodeId>(to) })
      },
  ),
  fc
    .record({
      n: number,
      gpuCount: fc.constantFrom(8, 3),
      domain: fc.constantFrom('here', 'there'),
      gpuModel: fc.constantFrom('H100-80GB', 'A100-80GB'),
    })
    .map(
      ({ n, gpuCount, domain, gpuModel }): Step =>
        (control) => {
          const name = pick(['n1', 'n2', 'n3', 'n4'], n)!
          const node = aNode(name, { gpuCount, gpuModel, domains: [domain] })
          control.observe({ kind: 'node-present', node, at: control.now })
        },
    ),
  fc.record({ n: number, gpus: fc.constantFrom([], [0, 1], [7]) }).map(
    ({ n, gpus }): Step =>
      (control) => {
        const node = pick(['n1', 'n2', 'n3', 'n4'], n)!
        control.observe({
          kind: 'node-foreign',
          node: id<NodeId>(node),
          gpus,
          holder: 'job 7',
          at: control.now,
        })
      },
  ),
  fc.record({ n: number, down: fc.boolean() }).map(
    ({ n, down }): Step =>
      (control) => {
        const node = pick(control.state.nodes.keys(), n)
        if (!node) return
        if (down) control.observe({ kind: 'node-down', node, reason: 'test', at: control.now })
        else control.observe({ kind: 'node-up', node, at: control.now })
      },
  ),
  number.map(
    (n): Step =>
      (control) => {
        // The engine knows of some attempts only.
        const facts = [...control.state.attempts.values()]
          .filter((_, i) => (n >> (i % 8)) & 1)
          .map((attempt) => ({ kind: 'attempt-running', attempt: attempt.id, at: control.now }) as const)
        control.do({ kind: 'observe', facts, complete: true })
      },
  ),
  fc.constant<Step>((control) => control.restart()),
)

it('[S1] [S2] [S3] [S5] [S6] [S10] hold under any mix of commands, facts, failures and restarts', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => {
      const control = new ControlInMemory([aNode('n1'), aNode('n2'), aNode('n3')])
      for (const each of steps) tolerant(each)(control)
      const state = serialiseState(control.state)
      expect(control.replayed()).toBe(state)
      const restored = control.restored()
      expect(serialiseState(restored)).toBe(state)
      // What a server that has just started decides is what the old one would have decided.
      const planned = (machine: typeof restored.derived.machine) => planPass(machine, control.now)
      expect(planned(restored.derived.machine)).toEqual(planned(control.state.derived.machine))
    }),
    { numRuns: 300 },
  )
})
