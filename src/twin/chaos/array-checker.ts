import type { LoggedEvent } from '../../control/index.ts'
import type { World } from '../world/world.ts'
import type { Find } from './finding.ts'

/** What is submitted as one is taken as one: each of its members once, or none. */
export function checkArrays(events: readonly LoggedEvent[], world: World, find: Find): void {
  const { jobs } = world.setup
  const taken = new Set<number>()
  for (const { event } of events) {
    if (event.kind !== 'workload-submitted') continue
    const job = world.jobOf.get(event.workload)
    if (job === undefined || taken.has(job))
      find('array', world, `${event.workload} is a job that was taken before`)
    else taken.add(job)
  }
  for (const job of taken) {
    const hasFirst = !jobs[job]?.joinsBefore || taken.has(job - 1)
    const hasNext = !jobs[job + 1]?.joinsBefore || taken.has(job + 1)
    if (!hasFirst || !hasNext) find('array', world, `job ${job} is taken without others of its submission`)
  }
}
