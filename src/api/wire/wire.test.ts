import { expect, expectTypeOf, test } from 'vitest'
import type {
  Attempt,
  Node,
  Policy,
  Queue,
  ResourceRequest,
  User,
  Workload,
  WorkloadSpec,
} from '../../model/index.ts'
import { DEFAULT_POLICY } from '../../model/index.ts'
import type { WireOf } from '../schema.ts'
import type { AttemptView } from './attempt.ts'
import type { NodeView } from './node.ts'
import { type PolicyView, policy, policySettings } from './policy.ts'
import type { QueueView } from './queue.ts'
import type { resources, workloadSpec } from './spec.ts'
import type { UserView } from './tenancy.ts'
import type { WorkloadView } from './workload.ts'

test('what the model gained, the wire has: types agree field by field', () => {
  expectTypeOf<keyof Policy>().toEqualTypeOf<keyof PolicyView>()
  expectTypeOf<keyof Attempt>().toEqualTypeOf<keyof AttemptView>()
  expectTypeOf<keyof ResourceRequest>().toEqualTypeOf<keyof WireOf<typeof resources>>()
  expectTypeOf<keyof User>().toEqualTypeOf<keyof UserView>()
  type SpecFields<Spec, Type> = keyof Extract<Spec, { type: Type }>
  type WireSpec = WireOf<typeof workloadSpec>
  expectTypeOf<SpecFields<WorkloadSpec, 'train'>>().toEqualTypeOf<SpecFields<WireSpec, 'train'>>()
  expectTypeOf<SpecFields<WorkloadSpec, 'serve'>>().toEqualTypeOf<SpecFields<WireSpec, 'serve'>>()
  expectTypeOf<SpecFields<WorkloadSpec, 'machines'>>().toEqualTypeOf<SpecFields<WireSpec, 'machines'>>()
  // Views add to these, and leave nothing out.
  expectTypeOf<Exclude<keyof Node, keyof NodeView>>().toEqualTypeOf<never>()
  expectTypeOf<Exclude<keyof Queue, keyof QueueView>>().toEqualTypeOf<never>()
  expectTypeOf<Exclude<keyof Workload, keyof WorkloadView>>().toEqualTypeOf<never>()
})

test("the model's values are values of the wire", () => {
  expectTypeOf<Policy>().toExtend<PolicyView>()
  expectTypeOf<Attempt>().toExtend<AttemptView>()
  expectTypeOf<WorkloadSpec>().toExtend<WireOf<typeof workloadSpec>>()
  expect(policy.parse(DEFAULT_POLICY)).toEqual(DEFAULT_POLICY)
  expect(policySettings.parse(DEFAULT_POLICY)).toEqual(DEFAULT_POLICY)
})
