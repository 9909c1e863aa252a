import type { RandomStream } from '../../base/index.ts'
import type { TrainSpec } from '../../model/index.ts'
import type { SimulatedJob } from '../world/simulated-job.ts'
import type { DrawnJobs } from './draw-jobs.ts'

/** The same jobs, so many of which have become arrays: several alike that are submitted as one. */
export function withArrays(arrays: number, drawn: DrawnJobs, random: RandomStream): DrawnJobs {
  const sizes = new Map<string, number>()
  for (let i = 0; i < arrays; i++) {
    const { spec } = drawn.jobs[random.below(drawn.jobs.length)]!
    if (spec.type === 'train') sizes.set(spec.name, 2 + random.below(6))
  }
  if (sizes.size === 0) return drawn
  const jobs: SimulatedJob[] = []
  const infeasible = new Set<number>()
  drawn.jobs.forEach((job, i) => {
    for (const member of membersOf(job, sizes, random)) {
      if (drawn.infeasible.has(i)) infeasible.add(jobs.length)
      jobs.push(member)
    }
  })
  return { jobs, infeasible }
}

function membersOf(
  job: SimulatedJob,
  sizes: ReadonlyMap<string, number>,
  random: RandomStream,
): readonly SimulatedJob[] {
  if (job.spec.type !== 'train') return [job]
  const { name, dependsOn } = job.spec
  const size = sizes.get(name)
  const spec: TrainSpec = { ...job.spec, dependsOn: dependsOn.flatMap((on) => namesOf(on, sizes.get(on))) }
  if (size === undefined) return [{ ...job, spec }]
  const { workUs = 0 } = job.behaviour
  return namesOf(name, size).map((memberName, arrayIndex) => ({
    ...job,
    ...(arrayIndex > 0 && { joinsBefore: true as const }),
    spec: { ...spec, name: memberName, arrayIndex },
    behaviour: { ...job.behaviour, workUs: Math.ceil(workUs * (0.5 + random.next())) },
  }))
}

/** The names of the members of an array of that size; the name itself where it is none. */
function namesOf(name: string, size = 0): readonly string[] {
  return size === 0 ? [name] : Array.from({ length: size }, (_, index) => `${name}-${index}`)
}
