import type { Cli } from '../cli.ts'
import { painted } from '../render/values.ts'

/** Submits a workload that is over once more. */
export async function resubmit(cli: Cli, id: string): Promise<void> {
  const client = await cli.client()
  const submitted = await client.resubmitWorkload({ id })
  cli.print(submitted, () =>
    submitted.workloads
      .map((workload) => `${workload.id} (${workload.spec.name}) is ${painted(cli, workload.state)}`)
      .join('\n'),
  )
}

/** Changes how many replicas a served model has. */
export async function scale(cli: Cli, id: string, replicas: number): Promise<void> {
  const client = await cli.client()
  const workload = await client.scaleWorkload({ id, replicas })
  cli.print(
    workload,
    () =>
      `${workload.id} (${workload.spec.name}) is to have ${replicas} replicas; ${workload.readyReplicas ?? 0} ready now`,
  )
}
