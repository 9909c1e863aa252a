import type { NodeId } from '../../base/index.ts'
import { HOUR_MS, id } from '../../base/index.ts'
import type { NodeDescription } from '../../model/index.ts'
import { Streams } from '../kernel/streams.ts'
import type { WorldSetup } from '../world/world-setup.ts'
import { drawActions } from './draw-actions.ts'
import { withArrays } from './draw-arrays.ts'
import { drawJobs } from './draw-jobs.ts'
import { drawQueues } from './draw-queues.ts'
import { type ChaosOptions, drawOptions } from './options.ts'

export interface ChaosSetup {
  readonly options: ChaosOptions
  readonly setup: WorldSetup
  /** Jobs of which some state of this machine is not sure to run them: it is enough that they are explained. */
  readonly infeasible: ReadonlySet<number>
}

/** Long enough for all work of a run to end one after the other. */
const LIVENESS_HOURS = 24 * 40

/** The world of a seed. */
export function chaosSetup(seed: number): ChaosSetup {
  return worldOf(drawOptions(seed))
}

/** The world of these options: the same as of others where they are the same. */
export function worldOf(options: ChaosOptions): ChaosSetup {
  const streams = new Streams(options.seed)
  const nodes = drawNodes(options)
  const { jobs, infeasible } = withArrays(
    options.arrays,
    drawJobs(options, streams.named('chaos/jobs')),
    streams.named('chaos/members'),
  )
  const queues = drawQueues(options, jobs)
  return {
    options,
    infeasible,
    setup: {
      seed: options.seed,
      startMs: 0,
      levels: ['site', 'block', 'node'],
      nodes,
      policy: options.policy,
      queues,
      jobs,
      actions: drawActions(options, streams, { nodes, jobs, queues }),
      tellSaves: true,
      faults: options.faults,
      controlFaults: options.control,
      keepsPast: true,
      healMs: options.safetyHours * HOUR_MS,
      horizonMs: (options.safetyHours + LIVENESS_HOURS) * HOUR_MS,
    },
  }
}

function drawNodes({ blocks, nodesPerBlock, gpusPerNode, gpuModels }: ChaosOptions): NodeDescription[] {
  return Array.from({ length: blocks * nodesPerBlock }, (_, i) => {
    const block = Math.floor(i / nodesPerBlock)
    return {
      id: id<NodeId>(`n${i}`),
      domains: ['site', `b${block}`],
      gpuModel: gpuModels === 2 && block === blocks - 1 ? 'A100-80GB' : 'H100-80GB',
      gpuCount: gpusPerNode,
      gpuMemoryBytes: 80e9,
      cpuCount: 96,
      memoryBytes: 2e12,
      nicCount: 8,
      address: `10.0.0.${i}`,
    }
  })
}
