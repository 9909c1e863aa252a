import { present } from '../../base/index.ts'
import { policyByName } from './policies.ts'
import type { Scenario } from './scenario.ts'

/** A scenario with nothing in it: no work, no faults, starts and checkpoints that cost nothing. */
export const EMPTY_SCENARIO: Scenario = {
  name: 'scenario',
  seed: 1,
  cluster: { kind: 'plain', nodes: 1, gpus: 8, gpuModel: 'H100-80GB' },
  policy: present(policyByName('default'), 'default policy').policy,
  declareRunTimes: false,
  workloads: [],
  startCost: { fromMs: 0, toMs: 0 },
  checkpoint: { costMs: 0, graceMs: 0 },
  queues: [],
  pricePerGpuHour: 2,
}
