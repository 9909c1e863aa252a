import type { CallInput, ContractOf, ReservationView } from '../../api/index.ts'
import { formatDuration, parseDuration } from '../../base/index.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { impactLines } from '../render/impact.ts'
import { renderPairs, renderTable } from '../render/table.ts'
import { clockTime, counted, fromNow } from '../render/values.ts'
import { wholeOf } from './queues.ts'

type Settings = CallInput<ContractOf<'makeReservation'>>

/** Lists the reservations and maintenance windows that concern the caller. */
export async function listReservations(cli: Cli): Promise<void> {
  const client = await cli.client()
  const list = await client.listReservations()
  cli.print(list, () => (list.items.length === 0 ? 'Nothing is reserved.' : table(cli, list.items)))
}

export async function showReservation(cli: Cli, id: string): Promise<void> {
  const client = await cli.client()
  const reservation = await client.getReservation({ id })
  cli.print(reservation, () => text(cli, reservation))
}

/** Ends reservations, or calls them off. */
export async function cancelReservations(cli: Cli, ids: readonly string[]): Promise<void> {
  const client = await cli.client()
  const items: ReservationView[] = []
  for (const id of ids) items.push(await client.cancelReservation({ id }))
  cli.print({ items }, () =>
    items
      .map(
        ({ id, state }) => `${id} is cancelled${state === 'open' ? '; its nodes take any work again' : ''}`,
      )
      .join('\n'),
  )
}

export interface ReserveOptions {
  readonly nodes?: readonly string[]
  readonly count?: string
  readonly domain?: string
  readonly from?: string
  readonly to?: string
  readonly for?: string
  readonly queue?: readonly string[]
  readonly user?: readonly string[]
  readonly maintenance?: boolean
  readonly reason?: string
  readonly dryRun?: boolean
}

/** Keeps nodes for somebody, or for maintenance; with --dry-run tells what that would do. */
export async function reserve(cli: Cli, id: string, options: ReserveOptions): Promise<void> {
  settingsOf(cli, id, options)
  const client = await cli.client()
  // Spans are meant by the server's clock, which any answer tells.
  await client.getHealth()
  const reservation = settingsOf(cli, id, options)
  if (options.dryRun) {
    const impact = await client.askWhatIf({ edits: [{ kind: 'reserve', reservation }] })
    return cli.print(impact, () => impactLines(cli, impact).join('\n'))
  }
  const made = await client.makeReservation(reservation)
  cli.print(made, () => text(cli, made))
}

function settingsOf(cli: Cli, id: string, options: ReserveOptions): Settings {
  const now = cli.now()
  const { nodes, count, domain, queue, user, maintenance, reason } = options
  if (!nodes?.length && count === undefined && domain === undefined) {
    throw new CliFailure(
      'usage',
      'which nodes to reserve is not said',
      'Give --nodes a,b, or --count 4, or --domain pod/block.',
    )
  }
  if ((options.to === undefined) === (options.for === undefined)) {
    throw new CliFailure('usage', 'a reservation has an end or a length', 'Give --to WHEN or --for SPAN.')
  }
  const from = options.from === undefined ? undefined : momentOf('--from', options.from, now)
  return {
    id,
    kind: maintenance ? 'maintenance' : 'reserved',
    reason:
      reason ??
      (maintenance ? 'maintenance' : `reserved for ${[...(queue ?? []), ...(user ?? [])].join(', ')}`),
    ...(nodes?.length ? { nodes: [...nodes] } : {}),
    ...(count === undefined ? {} : { count: wholeOf('--count', count) }),
    ...(domain === undefined ? {} : { domain: domain.split('/') }),
    ...(from === undefined ? {} : { from }),
    ...(options.to === undefined ? {} : { to: momentOf('--to', options.to, now) }),
    ...(options.for === undefined ? {} : { durationMs: spanOf('--for', options.for) }),
    ...(queue || user
      ? { owners: { ...(queue && { queues: [...queue] }), ...(user && { users: [...user] }) } }
      : {}),
  }
}

/** A date, `now`, or a span from now on. */
function momentOf(flag: string, given: string, now: number): number {
  if (given === 'now') return now
  const span = parseDuration(given)
  if (span.ok) return now + span.value
  const date = Date.parse(given)
  if (!Number.isNaN(date)) return date
  throw new CliFailure(
    'usage',
    `${flag} takes a time such as 2026-11-01T08:00, or a span from now such as 2h, not "${given}"`,
  )
}

function spanOf(flag: string, given: string): number {
  const span = parseDuration(given)
  if (span.ok) return span.value
  throw new CliFailure('usage', `${flag}: ${span.error}`)
}

function table(cli: Cli, reservations: readonly ReservationView[]): string {
  const now = cli.now()
  return renderTable(
    cli,
    [
      { title: 'NAME', cell: ({ id }) => id, shrinksTo: 10 },
      { title: 'KIND', cell: ({ kind }) => (kind === 'maintenance' ? cli.paint.yellow(kind) : kind) },
      { title: 'STATE', cell: ({ state }) => (state === 'open' ? cli.paint.green(state) : state) },
      { title: 'FROM', cell: ({ from }) => clockTime(from, now) },
      { title: 'TO', cell: ({ to }) => clockTime(to, now) },
      { title: 'NODES', cell: ({ nodes }) => String(nodes.length), align: 'right' },
      { title: 'FOR', cell: ownerText, shrinksTo: 10 },
      { title: 'REASON', cell: ({ reason }) => reason, shrinksTo: 10 },
    ],
    reservations,
  )
}

function text(cli: Cli, reservation: ReservationView): string {
  const now = cli.now()
  const { id, kind, state, from, to, nodes, domain, missingNodes, stillBusy, stillBusyNodes, reason } =
    reservation
  const busy =
    stillBusyNodes === 0
      ? undefined
      : `${counted(stillBusyNodes, 'node')} ${state === 'open' ? 'with work of others' : 'may have work of others when it opens'}` +
        `${stillBusy.length > 0 ? `: ${stillBusy.map((work) => busyText(work, now)).join(', ')}` : ''}`
  return renderPairs(cli, [
    [kind === 'maintenance' ? 'maintenance' : 'reservation', `${cli.paint.bold(id)} (${state}): ${reason}`],
    ['from', `${clockTime(from, now)} (${fromNow(from, now)})`],
    ['to', `${clockTime(to, now)} (${formatDuration(to - from)} long)`],
    ['for', kind === 'maintenance' ? 'nobody' : ownerText(reservation)],
    ['on', `${domain ? `all of ${domain.join('/')}: ` : ''}${nodes.join(', ')}`],
    ['missing', missingNodes > 0 ? `${counted(missingNodes, 'node')} of it are gone` : undefined],
    ['busy', busy],
  ])
}

function busyText({ workload, endsAt }: ReservationView['stillBusy'][number], now: number): string {
  return `${workload} (${endsAt === undefined ? 'no time limit' : `ends ${fromNow(endsAt, now)}`})`
}

function ownerText({ owners }: ReservationView): string {
  return [...(owners?.queues ?? []), ...(owners?.users ?? [])].join(', ') || '-'
}
