import { setTimeout as pause } from 'node:timers/promises'
import type { Client, WorkloadView } from '../../api/index.ts'
import { isFinal } from '../../model/index.ts'
import type { Cli } from '../cli.ts'
import { painted } from '../render/values.ts'

const POLL_MS = 300

/** Stops workloads: cancels what waits, signals what runs. */
export async function stop(
  cli: Cli,
  ids: readonly string[],
  options: { readonly kill?: boolean; readonly wait?: boolean },
): Promise<void> {
  const client = await cli.client()
  const stopped: WorkloadView[] = []
  for (const id of ids) {
    const workload = await client.stopWorkload({ id, kill: options.kill })
    stopped.push(options.wait ? await waitUntilOver(cli, client, workload) : workload)
  }
  cli.print({ items: stopped }, () => stopped.map((workload) => line(cli, workload)).join('\n'))
}

function line(cli: Cli, { id, spec, state, stateReason }: WorkloadView): string {
  const next = state === 'stopping' ? '; `--kill` ends it at once' : ''
  return `${id} (${spec.name}) is ${painted(cli, state)}${stateReason ? `: ${stateReason}` : ''}${next}`
}

async function waitUntilOver(cli: Cli, client: Client, workload: WorkloadView): Promise<WorkloadView> {
  const signal = cli.io.interrupt()
  let now = workload
  while (!isFinal(now.state)) {
    await pause(POLL_MS, undefined, { signal })
    now = await client.getWorkload({ id: workload.id })
  }
  return now
}
