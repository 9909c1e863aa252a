import type { Client } from '../api/index.ts'
import { formatDuration, parseDuration } from '../base/index.ts'
import { type Replay, type ReplayFigures, type ReplayMachine, readLog, replay } from '../twin/index.ts'
import type { Cli } from './cli.ts'
import { CliFailure } from './failure.ts'
import { renderPairs, renderTable } from './render/table.ts'
import { policyOf } from './twin-flags.ts'

const PAGE = 1_000
const SHOWN = 20

type Log = Parameters<typeof readLog>[0]

export interface ReplayOptions {
  readonly last?: string
  readonly policy?: string
}

/** `banyan what-if --last SPAN --policy POLICY`, which goes with no other change. */
export function replayOf(cli: Cli, options: ReplayOptions): Promise<void> {
  const { last, policy, ...others } = options
  const [stray] = Object.keys(others)
  if (last === undefined || policy === undefined || stray !== undefined) {
    throw new CliFailure(
      'usage',
      'a replay takes --last and --policy, and no other change',
      'For example: banyan what-if --last 7d --policy backfill.',
    )
  }
  return replayLog(cli, last, policy)
}

/** Plays the last days of the server's log again, under its policy and under another, and tells what differs. */
async function replayLog(cli: Cli, last: string, policyName: string): Promise<void> {
  const span = parseDuration(last)
  if (!span.ok) throw new CliFailure('usage', `--last: ${span.error}`)
  const { policy } = policyOf(policyName)
  const client = await cli.client()
  const { user } = await client.whoAmI()
  if (user.role !== 'operator') {
    throw new CliFailure(
      'not-allowed',
      'only operators see all of the log, without which a replay tells nothing',
    )
  }
  const { now, cluster } = await client.getVersion()
  const events = await wholeLog(client)
  const begin = Math.max(now - span.value, events[0]?.at ?? 0)
  const work = readLog(events as unknown as Log, begin, now)
  if (work.jobs.length === 0)
    throw new CliFailure('usage', `nothing was submitted or ran in the last ${formatDuration(span.value)}`)
  const machine = await machineOf(client, cluster.levels)
  const found = replay(work, machine, await client.getPolicy(), policy)
  const { fromMs, toMs, skipped } = work
  cli.print({ fromMs, toMs, policy: policy.name, skipped, ...found }, () =>
    textOf(cli, toMs - fromMs, policy.name, found),
  )
}

async function wholeLog(client: Client) {
  const all = []
  for (let after = 0; ; ) {
    const { items, last } = await client.listEvents({ after, limit: PAGE })
    all.push(...items)
    if (items.length < PAGE) return all
    after = last
  }
}

async function machineOf(client: Client, levels: readonly string[]): Promise<ReplayMachine> {
  const { items: nodes } = await client.listNodes()
  const { items: queues } = await client.listQueues()
  return {
    levels,
    nodes: nodes.map(
      ({ id, domains, gpuModel, gpuCount, gpuMemoryBytes, cpuCount, memoryBytes, nicCount, address }) =>
        ({
          id,
          domains,
          gpuModel,
          gpuCount,
          gpuMemoryBytes,
          cpuCount,
          memoryBytes,
          nicCount,
          address,
        }) as never,
    ),
    queues: queues.map(
      ({ heldGpus: _h, queuedGpus: _q, runningWorkloads: _r, queuedWorkloads: _w, ...queue }) =>
        queue as never,
    ),
  }
}

function textOf(cli: Cli, spanMs: number, policy: string, found: Replay): string {
  const { jobs, before, after, earlier, later, same, changes } = found
  const row = (name: keyof ReplayFigures, text: (value: number) => string): [string, string] => [
    NAMES[name],
    `${text(before[name])} -> ${text(after[name])}`,
  ]
  const seconds = (value: number) => formatDuration(value * 1000)
  const lines = [
    `The last ${formatDuration(spanMs)} again, ${jobs} workloads: as it is -> under ${policy}`,
    renderPairs(cli, [
      row('meanWaitS', seconds),
      row('p90WaitS', seconds),
      row('utilisation', (value) => `${(value * 100).toFixed(1)} %`),
      row('evictions', String),
      ['starts', `${earlier} earlier, ${later} later, ${same} the same within a minute`],
    ]),
  ]
  if (changes.length === 0) return lines.join('\n')
  const wait = (ms: number | undefined) => (ms === undefined ? 'not by the end' : formatDuration(ms))
  const table = renderTable(
    cli,
    [
      { title: 'ID', cell: ({ workload }) => workload },
      { title: 'NAME', cell: ({ name }) => name, shrinksTo: 12 },
      { title: 'WAITED', cell: ({ waitBeforeMs }) => wait(waitBeforeMs), align: 'right' },
      { title: 'WOULD WAIT', cell: ({ waitAfterMs }) => wait(waitAfterMs), align: 'right' },
    ],
    changes.slice(0, SHOWN),
  )
  const more = changes.length > SHOWN ? [`and ${changes.length - SHOWN} more; --json has all`] : []
  return [...lines, '', table, ...more].join('\n')
}

const NAMES: Readonly<Record<keyof ReplayFigures, string>> = {
  meanWaitS: 'mean wait',
  p90WaitS: '90 % wait',
  utilisation: 'utilisation',
  evictions: 'evictions',
}
