import type { DurationMs } from '../../base/index.ts'
import { MINUTE_MS } from '../../base/index.ts'
import type { EngineCause, LaunchOrder } from '../../control/ports/index.ts'
import { refusedByMachine, refusedByUser } from '../engine-shared/refusals.ts'
import { inheritedEnvironment } from '../engine-shared/task-environment.ts'
import type { AttemptFiles } from './attempt-files.ts'
import { parseGpuGres } from './gres.ts'
import { shareOf } from './inventory.ts'
import { jobScript } from './job-script.ts'
import type { JobRequest, SlurmNode, SlurmPartition } from './transport.ts'

/** Slurm's own limit is for when the control plane is not there to enforce it. */
const LIMIT_SLACK_MS: DurationMs = 5 * MINUTE_MS

export interface Wanted {
  readonly order: LaunchOrder
  readonly nodes: readonly SlurmNode[]
  readonly partition: SlurmPartition
  readonly account: string | undefined
  readonly qos: string | undefined
  readonly comment: string
  readonly files: AttemptFiles
  readonly launcher: string
}

/** The one job of an attempt: on exactly its nodes, with its GPUs on each and the CPUs and memory that go with them. */
export function jobRequest({ order, nodes, partition, files, launcher, ...given }: Wanted): JobRequest {
  const { parts } = order.allocation
  const used = parts.flatMap(({ node, gpus }) => {
    const known = nodes.find(({ name }) => name === node)
    return known ? [{ known, share: shareOf(known, gpus.length), gpus: gpus.length }] : []
  })
  const cpus = Math.min(...used.map(({ share }) => share.cpus))
  const gres = parseGpuGres(used[0]?.known.gres ?? '')
  const type = gres?.type ? `:${gres.type}` : ''
  return {
    ...given,
    name: order.name,
    nodes: parts.map(({ node }) => node),
    gresPerNode: gres ? `gpu${type}:${used[0]?.gpus}` : undefined,
    cpusPerNode: cpus,
    memoryMibPerNode: Math.min(...used.map(({ share }) => share.memoryMib)),
    minutes: minutesOf(order, partition),
    partition: partition.name,
    folder: files.path,
    output: files.jobOutput,
    script: jobScript(files.path, launcher, parts.length, cpus),
    environment: inheritedEnvironment(process.env),
  }
}

function minutesOf({ limitMs }: LaunchOrder, { maxMinutes }: SlurmPartition): number | undefined {
  const wanted = limitMs === undefined ? undefined : Math.ceil((limitMs + LIMIT_SLACK_MS) / MINUTE_MS)
  return maxMinutes === undefined ? wanted : Math.min(wanted ?? maxMinutes, maxMinutes)
}

/** Why the order cannot become a job; undefined when it can. */
export function misplaced(
  order: LaunchOrder,
  nodes: ReadonlyMap<string, SlurmNode>,
): EngineCause | undefined {
  const { parts } = order.allocation
  const [first] = parts
  if (!first) return refusedByMachine('its allocation is empty')
  for (const { node, gpus } of parts) {
    const known = nodes.get(node)
    if (!known) return refusedByMachine(`it was placed on node ${node}, which Slurm does not list`)
    if (gpus.length !== first.gpus.length) {
      return refusedByUser(
        `it would have ${first.gpus.length} GPUs on ${first.node} and ${gpus.length} on ${node}; one Slurm job has as many on each node: ask for nodes and gpusPerNode`,
      )
    }
  }
  return undefined
}
