import type { OrganisationId } from '../../base/index.ts'
import { HOUR_MS, id } from '../../base/index.ts'
import { openQueue, type Queue } from '../../model/index.ts'
import type { SimulatedJob } from '../world/simulated-job.ts'
import { TWIN_ORGANISATION } from '../world/world.ts'
import type { ChaosOptions } from './options.ts'

/** The first has guarantees, the second a limit for each user, the third one for all of it. */
export const TENANTS = ['research', 'product', 'batch'] as const
export const OTHER_ORGANISATION = id<OrganisationId>('other')

export function queueOf(tenant: string, organisation: string = TWIN_ORGANISATION): Queue['id'] {
  return id<Queue['id']>(`${organisation}/${tenant}`)
}

/** GPUs that are guaranteed, as far as the machine has so many. */
export function guaranteedGpus({ blocks, nodesPerBlock, gpusPerNode, quotas }: ChaosOptions): number {
  const inBlocks = quotas.guaranteedBlocks * nodesPerBlock * gpusPerNode
  return Math.min(quotas.guaranteedGpus, blocks * nodesPerBlock * gpusPerNode - inBlocks)
}

/** Settings of the queues that there are, parents first. */
export function drawQueues(options: ChaosOptions, jobs: readonly SimulatedJob[]): Queue[] {
  const { lendable, guaranteedBlocks, limitGpus, limitGpusPerUser, budgetGpuHours } = options.quotas
  const root = id<Queue['id']>(TWIN_ORGANISATION)
  const guaranteed = { guaranteedGpus: guaranteedGpus(options), lendable }
  const [first, second, third] = TENANTS
  const queues: Queue[] = [
    { ...openQueue(root), ...guaranteed },
    {
      ...openQueue(queueOf(first), root),
      ...guaranteed,
      ...(guaranteedBlocks > 0 && { guaranteedDomains: { level: 'block', count: guaranteedBlocks } }),
    },
    { ...openQueue(queueOf(second), root), ...(limitGpusPerUser > 0 && { limitGpusPerUser }) },
    { ...openQueue(queueOf(third), root), ...(limitGpus > 0 && { limitGpus }) },
    {
      ...openQueue(id<Queue['id']>(OTHER_ORGANISATION)),
      ...(budgetGpuHours > 0 && { budget: { gpuHours: budgetGpuHours, windowMs: 6 * HOUR_MS } }),
    },
  ]
  const there = new Set<string>([TWIN_ORGANISATION])
  for (const { tenant, organisation = TWIN_ORGANISATION } of jobs)
    there.add(organisation).add(queueOf(tenant, organisation))
  return queues.filter(({ id: queue }) => there.has(queue))
}
