import { Readable } from 'node:stream'
import { describeEvent, type LoggedEventView } from '../api/index.ts'
import type { EventQuery, LoggedEvent } from '../control/index.ts'
import { actorName } from '../model/index.ts'
import type { CallContext } from './context.ts'
import { csv } from './csv.ts'
import { eventsAsSeen, workloadOfEvent } from './event-visibility.ts'
import { findWorkload } from './find.ts'
import { ProblemError } from './problem-error.ts'

/** What a reader of the events asks for, as it came. */
export interface EventFilters {
  readonly workload?: string | undefined
  readonly node?: string | undefined
  readonly kind?: readonly string[] | undefined
  readonly actor?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
}

interface Where {
  readonly after: number
  readonly before?: number | undefined
  readonly limit: number
  readonly order: 'oldest' | 'newest'
}

type Filters = Omit<EventQuery, 'after' | 'before' | 'limit' | 'newestFirst'>

/** Rows of the log read for one page, however few of them the caller may see; `last` tells where to go on. */
const LONGEST_SEARCH = 20_000
const ROWS_AT_ONCE = 1_000

/** A page of the events that the filters leave and the caller may see. */
export async function eventPage(context: CallContext, asked: EventFilters, where: Where) {
  const filters = await filtersOf(context, asked)
  const asSeen = eventsAsSeen(context)
  const newestFirst = where.order === 'newest'
  const items: LoggedEventView[] = []
  const newest = context.ledger.state.lastSequence
  let { after, before } = where
  let last = newestFirst ? (before ?? context.ledger.state.lastSequence + 1) : after
  for (let read = 0; read < LONGEST_SEARCH; read += where.limit) {
    const rows = await context.store.events({
      ...filters,
      after,
      limit: where.limit,
      ...(before === undefined ? {} : { before }),
      ...(newestFirst ? { newestFirst } : {}),
    })
    for (const logged of rows) {
      last = logged.sequence
      const seen = await asSeen(logged)
      if (seen) items.push(seen)
      if (items.length >= where.limit) return { items, last, more: true, newest }
    }
    if (rows.length < where.limit) return { items, last, more: false, newest }
    if (newestFirst) before = last
    else after = last
  }
  return { items, last, more: true, newest }
}

/** Everything that the filters leave, up to now, a JSON document a line. */
export async function eventLines(context: CallContext, asked: EventFilters) {
  const filters = await filtersOf(context, asked)
  return streamOf(pages(context, filters), (events) =>
    events.map((event) => `${JSON.stringify(event)}\n`).join(''),
  )
}

/** The same for a spreadsheet. */
export async function eventCsv(context: CallContext, asked: EventFilters) {
  const filters = await filtersOf(context, asked)
  const head = csv([['sequence', 'time', 'actor', 'cause', 'kind', 'workload', 'node', 'what']])
  return streamOf(
    pages(context, filters),
    (events) =>
      csv(
        events.map((logged) => [
          logged.sequence,
          new Date(logged.at).toISOString(),
          actorName(logged.actor),
          logged.cause,
          logged.event.kind,
          workloadOfEvent(logged.event) ?? '',
          nodeOf(logged.event),
          describeEvent(logged),
        ]),
      ),
    head,
  )
}

async function* pages(context: CallContext, filters: Filters): AsyncGenerator<readonly LoggedEvent[]> {
  const asSeen = eventsAsSeen(context)
  const end = context.ledger.state.lastSequence + 1
  for (let after = 0; ; ) {
    const rows = await context.store.events({ ...filters, after, before: end, limit: ROWS_AT_ONCE })
    const seen: LoggedEvent[] = []
    for (const logged of rows) {
      after = logged.sequence
      const event = await asSeen(logged)
      if (event) seen.push(event)
    }
    yield seen
    if (rows.length < ROWS_AT_ONCE) return
  }
}

function streamOf(
  from: AsyncIterable<readonly LoggedEvent[]>,
  write: (events: readonly LoggedEvent[]) => string,
  head = '',
): ReadableStream<Uint8Array> {
  const text = async function* () {
    if (head !== '') yield Buffer.from(head)
    for await (const events of from) {
      if (events.length > 0) yield Buffer.from(write(events))
    }
  }
  return Readable.toWeb(Readable.from(text(), { objectMode: false })) as ReadableStream<Uint8Array>
}

async function filtersOf(
  context: CallContext,
  { workload, node, kind, actor, from, to }: EventFilters,
): Promise<Filters> {
  return {
    ...(workload === undefined ? {} : { workload: (await findWorkload(context, workload)).id }),
    ...(node === undefined ? {} : { node }),
    ...(kind === undefined ? {} : { kinds: [...new Set(kind)] }),
    ...(actor === undefined ? {} : { actor: actorOf(actor) }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }
}

function actorOf(text: string): NonNullable<EventQuery['actor']> {
  const colon = text.indexOf(':')
  const kind = (['user', 'scheduler', 'engine', 'system'] as const).find(
    (known) => known === (colon < 0 ? text : text.slice(0, colon)),
  )
  if (!kind) {
    throw new ProblemError('invalid-request', `query.actor: "${text}" is no actor.`, {
      hint: 'Use user, scheduler, engine or system, or one of them, such as user:ada.',
    })
  }
  return colon < 0 ? { kind } : { kind, id: text.slice(colon + 1) }
}

function nodeOf(event: LoggedEvent['event']): string {
  if (event.kind === 'node-described') return event.node.id
  if (event.kind === 'attempt-ended') return event.failure?.node ?? ''
  if (event.kind === 'node-renamed') return event.to
  return 'node' in event ? event.node : ''
}
