import type { QueueView } from '../../api/index.ts'
import { formatDuration, parseDuration } from '../../base/index.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { renderTable } from '../render/table.ts'
import { gpuCount } from '../render/values.ts'

/** Lists the tree of queues with what each holds. */
export async function listQueues(cli: Cli): Promise<void> {
  const client = await cli.client()
  const list = await client.listQueues()
  cli.print(list, () => (list.items.length === 0 ? 'There are no queues.' : queueTable(cli, list.items)))
}

export interface QueueOptions {
  readonly guaranteed?: string
  readonly guaranteedDomains?: string
  readonly limit?: string
  readonly limitPerUser?: string
  readonly budget?: string
  readonly weight?: string
  readonly lendable?: string
}

/** Changes the guarantee, limits, weight or lending of a queue. */
export async function setQueue(cli: Cli, id: string, options: QueueOptions): Promise<void> {
  const settings = {
    ...(options.guaranteed === undefined
      ? {}
      : { guaranteedGpus: wholeOf('--guaranteed', options.guaranteed) }),
    ...(options.guaranteedDomains === undefined
      ? {}
      : { guaranteedDomains: domainsOf('--guaranteed-domains', options.guaranteedDomains) }),
    ...(options.budget === undefined ? {} : { budget: budgetOf('--budget', options.budget) }),
    ...(options.limit === undefined ? {} : { limitGpus: limitOf('--limit', options.limit) }),
    ...(options.limitPerUser === undefined
      ? {}
      : { limitGpusPerUser: limitOf('--limit-per-user', options.limitPerUser) }),
    ...(options.weight === undefined ? {} : { weight: numberOf('--weight', options.weight) }),
    ...(options.lendable === undefined ? {} : { lendable: booleanOf('--lendable', options.lendable) }),
  }
  if (Object.keys(settings).length === 0) {
    throw new CliFailure(
      'usage',
      'nothing to change',
      'Give --guaranteed, --guaranteed-domains, --limit, --limit-per-user, --budget, --weight or --lendable.',
    )
  }
  const client = await cli.client()
  const queue = await client.setQueue({ id, ...settings })
  cli.print(queue, () => queueTable(cli, [queue]))
}

function limitOf(flag: string, text: string): number | null {
  return text === 'none' ? null : wholeOf(flag, text, ', or none')
}

/** `2 block`, or `2xblock`. */
function domainsOf(flag: string, text: string): { level: string; count: number } | null {
  if (text === 'none') return null
  const [, count = '', level = ''] = /^(\d{1,6})[x ](\S+)$/.exec(text) ?? []
  if (level !== '') return { level, count: Number(count) }
  throw new CliFailure('usage', `${flag} takes a count and a level such as 2xblock, or none, not "${text}"`)
}

/** `1000/7d`: GPU-hours in any seven days. */
function budgetOf(flag: string, text: string): { gpuHours: number; windowMs: number } | null {
  if (text === 'none') return null
  const [hours = '', span = ''] = text.split('/')
  const windowMs = parseDuration(span)
  if (/^\d+(\.\d+)?$/.test(hours) && windowMs.ok) return { gpuHours: Number(hours), windowMs: windowMs.value }
  throw new CliFailure('usage', `${flag} takes GPU-hours in a span such as 1000/7d, or none, not "${text}"`)
}

export function wholeOf(flag: string, text: string, or = ''): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new CliFailure('usage', `${flag} takes a whole number${or}, not "${text}"`)
}

function numberOf(flag: string, text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value
  throw new CliFailure('usage', `${flag} takes a number above 0, not "${text}"`)
}

function booleanOf(flag: string, text: string): boolean {
  if (text === 'true' || text === 'yes') return true
  if (text === 'false' || text === 'no') return false
  throw new CliFailure('usage', `${flag} takes yes or no, not "${text}"`)
}

const BUDGET = {
  title: 'BUDGET',
  cell: ({ budget }: QueueView) => (budget ? `${budget.gpuHours}/${formatDuration(budget.windowMs)}` : '-'),
  align: 'right',
} as const

export function queueTable(cli: Cli, queues: readonly QueueView[]): string {
  return renderTable(
    cli,
    [
      { title: 'QUEUE', cell: ({ id, parent }) => (parent === undefined ? id : `  ${id}`), shrinksTo: 14 },
      { title: 'HELD', cell: ({ heldGpus }) => gpuCount(heldGpus), align: 'right' },
      { title: 'GUARANTEED', cell: guarantee, align: 'right' },
      {
        title: 'LIMIT',
        cell: ({ limitGpus }) => (limitGpus === undefined ? '-' : gpuCount(limitGpus)),
        align: 'right',
      },
      ...(queues.some(({ budget }) => budget) ? [BUDGET] : []),
      { title: 'WEIGHT', cell: ({ weight }) => String(weight), align: 'right' },
      { title: 'LENDS', cell: ({ lendable }) => (lendable ? 'yes' : 'no') },
      { title: 'RUNNING', cell: ({ runningWorkloads }) => String(runningWorkloads), align: 'right' },
      {
        title: 'QUEUED',
        cell: ({ queuedWorkloads, queuedGpus }) =>
          queuedWorkloads === 0 ? '0' : `${queuedWorkloads} (${gpuCount(queuedGpus)} GPUs)`,
        align: 'right',
      },
    ],
    queues,
  )
}

function guarantee({ guaranteedGpus, guaranteedDomains }: QueueView): string {
  const domains = guaranteedDomains ? `${guaranteedDomains.count} ${guaranteedDomains.level}` : ''
  return [guaranteedGpus > 0 || !domains ? gpuCount(guaranteedGpus) : '', domains].filter(Boolean).join(' + ')
}
