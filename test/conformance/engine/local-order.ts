import type { AttemptId, OrganisationId, TeamId, UserId, WorkloadId } from '../../../src/base/index.ts'
import { id, present } from '../../../src/base/index.ts'
import type { Engine, LaunchOrder } from '../../../src/control/ports/index.ts'

/** An order for one task on the first slot of the engine's first node. */
export async function aLocalOrder(
  engine: Engine,
  attempt: string,
  run: string,
  workdir: string,
): Promise<LaunchOrder> {
  const node = present((await engine.inventory()).nodes[0], 'a node')
  return {
    attempt: id<AttemptId>(attempt),
    workload: id<WorkloadId>('w1'),
    number: 1,
    name: 'trouble',
    owner: { organisation: id<OrganisationId>('o'), team: id<TeamId>('o/t'), user: id<UserId>('u') },
    allocation: { parts: [{ node: node.id, gpus: [0] }] },
    program: { run: [run], env: {}, workdir, tasksPer: 'gpu' },
    needsPort: false,
    replica: 0,
  }
}
