import type { CallInput, ContractOf } from '../../api/index.ts'
import { PRIORITY_CLASSES } from '../../model/index.ts'
import { didYouMean } from '../../model/spec/nearest.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { impactLines } from '../render/impact.ts'
import { wholeOf } from './queues.ts'
import { readSpec } from './run.ts'

type Edit = CallInput<ContractOf<'askWhatIf'>>['edits'][number]

export interface WhatIfOptions {
  readonly addNodes?: string
  readonly like?: string
  readonly removeNodes?: readonly string[]
  readonly guaranteed?: readonly string[]
  readonly limit?: readonly string[]
  readonly weight?: readonly string[]
  readonly priority?: readonly string[]
  readonly stop?: readonly string[]
  readonly submit?: readonly string[]
}

/** Tries changes on a copy of the live state and tells who would start earlier or later, or be evicted. */
export async function whatIf(cli: Cli, options: WhatIfOptions): Promise<void> {
  const edits = await editsOf(cli, options)
  if (edits.length === 0) {
    throw new CliFailure(
      'usage',
      'nothing to try',
      'For example: banyan what-if --add-nodes 4, or --submit train.yaml.',
    )
  }
  const client = await cli.client()
  const impact = await client.askWhatIf({ edits })
  cli.print(impact, () => impactLines(cli, impact).join('\n'))
}

async function editsOf(cli: Cli, options: WhatIfOptions): Promise<Edit[]> {
  const edits: Edit[] = []
  if (options.addNodes !== undefined) {
    edits.push({ kind: 'add-nodes', count: wholeOf('--add-nodes', options.addNodes), like: options.like })
  }
  if (options.removeNodes?.length) edits.push({ kind: 'remove-nodes', nodes: [...options.removeNodes] })
  for (const pair of options.guaranteed ?? []) {
    const [queue, value] = pairOf('--guaranteed', pair)
    edits.push({ kind: 'set-queue', queue, settings: { guaranteedGpus: wholeOf('--guaranteed', value) } })
  }
  for (const pair of options.limit ?? []) {
    const [queue, value] = pairOf('--limit', pair)
    edits.push({
      kind: 'set-queue',
      queue,
      settings: { limitGpus: value === 'none' ? null : wholeOf('--limit', value) },
    })
  }
  for (const pair of options.weight ?? []) {
    const [queue, value] = pairOf('--weight', pair)
    edits.push({ kind: 'set-queue', queue, settings: { weight: Number(value) } })
  }
  for (const pair of options.priority ?? []) {
    const [workload, value] = pairOf('--priority', pair)
    const priority = PRIORITY_CLASSES.find((known) => known === value)
    if (!priority) {
      throw new CliFailure(
        'usage',
        `--priority: "${value}" is no priority${didYouMean(value, PRIORITY_CLASSES)}`,
        `Priorities: ${PRIORITY_CLASSES.join(', ')}.`,
      )
    }
    edits.push({ kind: 'set-priority', workload, priority })
  }
  for (const workload of options.stop ?? []) edits.push({ kind: 'stop', workload })
  for (const file of options.submit ?? [])
    edits.push({ kind: 'submit', spec: (await readSpec(cli, file)).spec })
  return edits
}

function pairOf(flag: string, pair: string): [name: string, value: string] {
  const equals = pair.lastIndexOf('=')
  if (equals > 0 && equals < pair.length - 1) return [pair.slice(0, equals), pair.slice(equals + 1)]
  throw new CliFailure('usage', `${flag} takes NAME=VALUE, not "${pair}"`)
}
