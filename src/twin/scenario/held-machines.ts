import { DAY_MS, type TimeMs } from '../../base/index.ts'
import type { ResourceShape } from '../../model/index.ts'
import type { Streams } from '../kernel/streams.ts'
import { SIMULATED_PROGRAM, type SimulatedJob } from '../world/simulated-job.ts'
import type { MachinesSource, Scenario } from './scenario.ts'
import { startCosts } from './start-costs.ts'

/** Machines that people ask for, each to be held so long from when it is up. */
export function heldMachines(
  source: MachinesSource,
  scenario: Scenario,
  streams: Streams,
  stream: string,
): SimulatedJob[] {
  const { size, held, name, tenant, used } = source
  const shape: ResourceShape =
    'nodes' in size ? { kind: 'nodes', nodes: size.nodes } : { kind: 'gpus', gpus: size.gpus }
  const startMs = startCosts(scenario, streams)
  const random = streams.named(`machines/${stream}`)
  const moments = momentsOf(source, random)
  return moments.map((submitMs, i) => {
    const heldMs = held.fromMs + random.below(held.toMs - held.fromMs + 1)
    return {
      submitMs,
      tenant,
      user: tenant,
      spec: {
        type: 'machines',
        name: moments.length === 1 ? name : `${name}-${i}`,
        count: 1,
        priority: source.priority,
        resources: { shape },
        program: SIMULATED_PROGRAM,
        retry: { user: 1_000_000, platform: 1_000_000 },
        preemptible: source.preemptible,
        ...(scenario.declareRunTimes ? { expectedMs: heldMs } : {}),
      },
      behaviour: {
        workUs: heldMs * 1000,
        startUs: startMs() * 1000,
        saveUs: 0,
        savesWhenTold: false,
        hold: { source: name, ...(used !== undefined ? { used } : {}) },
      },
    }
  })
}

function momentsOf({ asked }: MachinesSource, random: ReturnType<Streams['named']>): TimeMs[] {
  if ('count' in asked) return Array.from({ length: asked.count }, (_, i) => i * asked.everyMs)
  const moments: TimeMs[] = []
  const meanMs = DAY_MS / asked.perDay
  for (let at = random.exponential(meanMs); at < asked.spanMs; at += random.exponential(meanMs))
    moments.push(Math.floor(at))
  return moments
}
