import { useEffect, useState } from 'preact/hooks'
import { describeEvent } from '../../../api/known-event.ts'
import type { LoggedEventView } from '../../../api/wire/event.ts'
import { DAY_MS } from '../../../base/units.ts'
import { serverNow, useNow } from '../../core/clock.ts'
import { saveFile } from '../../core/export.ts'
import { useParam } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { ExportButton } from '../../parts/export-button.tsx'
import { Link } from '../../parts/link.tsx'
import { Moment } from '../../parts/moment.tsx'
import { Empty, ErrorNote, Loading } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { Tabs } from '../../parts/tabs.tsx'

const PAGE = 200
const WHO = {
  user: 'People',
  scheduler: 'Scheduler',
  engine: 'Engine',
  system: 'Banyan',
  all: 'All',
} as const
const PERIODS = { '1': 'Day', '7': 'Week', '30': '30 days', all: 'Ever' } as const
type Filters = ReturnType<typeof useFilters>

/** Who did what, newest first: every change of state is one event of the log. */
export function AuditPage() {
  const now = useNow()
  const { client } = useSignedIn()
  const filters = useFilters()
  const { events, error, isLoading, more, older } = useLog(filters)
  return (
    <div class="stack">
      <PageHead title="Audit" lead="Every change, with who made it and why. The log is only ever added to.">
        <ExportButton
          name="Export as CSV"
          save={async () =>
            saveFile('audit.csv', await textOf(await client.exportEventsAsCsv(filters.query())))
          }
        />
        <ExportButton
          name="Export as JSON lines"
          save={async () => saveFile('audit.jsonl', await textOf(await client.exportEvents(filters.query())))}
        />
      </PageHead>
      <FilterRow filters={filters} />
      {error && <ErrorNote error={error} again={older} />}
      {!error && isLoading && events.length === 0 && <Loading what="the log" />}
      {!error && !isLoading && events.length === 0 && (
        <Empty title="Nothing happened that fits">
          <p>Fewer filters may have it.</p>
        </Empty>
      )}
      {events.length > 0 && (
        <DataTable
          caption="Events, newest first"
          rows={events}
          keyOf={({ sequence }) => `${sequence}`}
          columns={[
            { title: 'When', isTight: true, cell: ({ at }) => <Moment at={at} now={now} /> },
            { title: 'Who', isTight: true, cell: actorText },
            { title: 'What', cell: describeEvent },
            {
              title: 'Of',
              isTight: true,
              isExtra: true,
              cell: (logged) => {
                const workload = subjectOf(logged)
                return workload && <Link to={`/workloads/${encodeURIComponent(workload)}`}>{workload}</Link>
              },
            },
            { title: 'Kind', isTight: true, isExtra: true, cell: ({ event }) => event.kind },
          ]}
        />
      )}
      {events.length > 0 && (
        <div class="row">
          <button type="button" disabled={isLoading || !more} onClick={older}>
            {more ? 'Look further back' : 'That is all'}
          </button>
        </div>
      )}
    </div>
  )
}

/** What is asked for, all of it in the address. */
function useFilters() {
  const [who, setWho] = useParam<keyof typeof WHO>('who', 'user')
  const [name, setName] = useParam<string>('name', '')
  const [kind, setKind] = useParam<string>('kind', '')
  const [workload, setWorkload] = useParam<string>('workload', '')
  const [node, setNode] = useParam<string>('node', '')
  const [days, setDays] = useParam<keyof typeof PERIODS>('days', 'all')
  const kinds = kind
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean)
  const query = () => ({
    ...(who === 'all' ? {} : { actor: who === 'user' && name !== '' ? `user:${name}` : who }),
    ...(kinds.length === 0 ? {} : { kind: kinds }),
    ...(workload === '' ? {} : { workload }),
    ...(node === '' ? {} : { node }),
    ...(days === 'all' ? {} : { from: Math.max(0, Math.round(serverNow() - Number(days) * DAY_MS)) }),
  })
  const key = JSON.stringify([who, name, kinds, workload, node, days])
  const fields = [
    ...(who === 'user' ? [['User', 'name of a person', name, setName] as const] : []),
    ['Kinds', 'such as policy-set, node-moved', kind, setKind] as const,
    ['Workload', 'id or name', workload, setWorkload] as const,
    ['Node', 'name', node, setNode] as const,
  ]
  return { who, setWho, days, setDays, fields, query, key }
}

function FilterRow({ filters }: { readonly filters: Filters }) {
  const { who, setWho, days, setDays, fields } = filters
  return (
    <div class="row">
      <Tabs label="Whose" names={WHO} value={who} onChange={setWho} />
      <Tabs label="Time" names={PERIODS} value={days} onChange={setDays} />
      {fields.map(([title, hint, value, set], index) => (
        <input
          key={title}
          type="search"
          class="filter"
          data-search={index === 0 ? true : undefined}
          aria-label={title}
          placeholder={`${title}: ${hint}`}
          value={value}
          onChange={(event) => set(event.currentTarget.value.trim())}
        />
      ))}
    </div>
  )
}

function actorText({ actor }: LoggedEventView): string {
  if (actor.kind === 'user') return actor.id
  return actor.kind === 'engine' ? `engine ${actor.id}` : actor.kind
}

function subjectOf({ event }: LoggedEventView): string | undefined {
  if (typeof event.workload === 'string') return event.workload
  return typeof event.attempt === 'string'
    ? event.attempt.slice(0, event.attempt.lastIndexOf('.'))
    : undefined
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text()
}

interface Log {
  readonly key: string
  readonly events: readonly LoggedEventView[]
  readonly last?: number
  readonly more: boolean
}

/** The newest events that the filters leave, and as many pages before them as were asked for. */
function useLog({ key, query }: Filters) {
  const { client } = useSignedIn()
  const [turn, setTurn] = useState(0)
  const [log, setLog] = useState<Log>({ key, events: [], more: true })
  const [error, setError] = useState<Error>()
  const [isLoading, setLoading] = useState(true)
  useEffect(() => {
    const over = new AbortController()
    const before = log.key === key ? log : { key, events: [], more: true }
    setLoading(true)
    client
      .listEvents({ ...query(), order: 'newest', limit: PAGE, before: before.last }, { signal: over.signal })
      .then(({ items, last, more }) => {
        setLog({ key, events: [...before.events, ...items], last, more })
        setError(undefined)
        setLoading(false)
      })
      .catch((reason: unknown) => {
        if (over.signal.aborted) return
        setError(reason instanceof Error ? reason : new Error(String(reason)))
        setLoading(false)
      })
    return () => over.abort(new DOMException('no longer shown', 'AbortError'))
  }, [client, key, turn])
  const isCurrent = log.key === key
  return {
    events: isCurrent ? log.events : [],
    more: isCurrent && log.more,
    error,
    isLoading: isLoading || (!isCurrent && !error),
    older: () => setTurn(turn + 1),
  }
}
