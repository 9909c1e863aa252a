import type { WorkloadView } from '../../api/index.ts'
import { WORKLOAD_STATES, type WorkloadState } from '../../model/index.ts'
import { didYouMean } from '../../model/spec/nearest.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { type Column, renderTable } from '../render/table.ts'
import { gpuCount, painted } from '../render/values.ts'
import { ageText, outlookText } from '../render/workload.ts'
import { LIVE_STATES } from './states.ts'

export interface PsOptions {
  readonly all?: boolean
  readonly state?: readonly string[]
  readonly team?: string
  readonly user?: string
  readonly name?: string
  readonly limit?: number
}

/** Lists workloads, those that are not over unless more is asked for. */
export async function ps(cli: Cli, options: PsOptions): Promise<void> {
  const client = await cli.client()
  const { all, state, limit = 50, ...filters } = options
  const states = state ? state.map(knownState) : all ? undefined : [...LIVE_STATES]
  const page = await client.listWorkloads({ ...filters, state: states, limit })
  cli.print(page, () => {
    if (page.items.length === 0) return nothing(options)
    const more =
      page.next === undefined ? '' : `\n${cli.paint.dim(`The newest ${limit}; --limit shows more.`)}`
    return renderTable(cli, workloadColumns(cli), page.items) + more
  })
}

function knownState(name: string): WorkloadState {
  const state = WORKLOAD_STATES.find((known) => known === name)
  if (state) return state
  throw new CliFailure(
    'usage',
    `"${name}" is no state of a workload${didYouMean(name, WORKLOAD_STATES)}`,
    `States: ${WORKLOAD_STATES.join(', ')}.`,
  )
}

function nothing({ all, state, team, user, name }: PsOptions): string {
  if (state || team || user || name) return 'No workload matches.'
  return all
    ? 'There are no workloads yet. `banyan run FILE` submits one.'
    : 'Nothing waits or runs. `banyan ps --all` shows what has ended, `banyan run FILE` submits work.'
}

function workloadColumns(cli: Cli): readonly Column<WorkloadView>[] {
  const now = cli.now()
  return [
    { title: 'ID', cell: ({ id }) => id },
    { title: 'NAME', cell: ({ spec }) => spec.name, shrinksTo: 12 },
    { title: 'TYPE', cell: ({ spec }) => spec.type },
    { title: 'STATE', cell: ({ state }) => painted(cli, state) },
    { title: 'GPUS', cell: ({ gpus }) => gpuCount(gpus), align: 'right' },
    { title: 'AGE', cell: (workload) => ageText(workload, now), align: 'right' },
    { title: 'ETA/REASON', cell: (workload) => outlookText(workload, now), shrinksTo: 16 },
  ]
}
