import { useEffect, useState } from 'preact/hooks'
import { describeEvent } from '../../../api/known-event.ts'
import type { LoggedEventView } from '../../../api/wire/event.ts'
import { useNow } from '../../core/clock.ts'
import { csvOf, saveFile } from '../../core/export.ts'
import { useParam } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { numberText } from '../../core/values.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { Link } from '../../parts/link.tsx'
import { Moment } from '../../parts/moment.tsx'
import { Empty, ErrorNote, Loading } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { Tabs } from '../../parts/tabs.tsx'

const PAGE = 1_000
const MOST_ROWS = 300
const WHO = {
  user: 'People',
  scheduler: 'Scheduler',
  engine: 'Engine',
  system: 'Banyan',
  all: 'All',
} as const
type Who = keyof typeof WHO

/** Who did what, newest first: every change of state is one event of the log. */
export function AuditPage() {
  const now = useNow()
  const [who, setWho] = useParam<Who>('who', 'user')
  const [text, setText] = useParam<string>('find', '')
  const { events, oldest, error, isLoading, older } = useLog()
  const wanted = text.trim().toLowerCase()
  const shown = events
    .filter(({ actor }) => who === 'all' || actor.kind === who)
    .map((logged) => ({ logged, by: actorText(logged), what: describeEvent(logged) }))
    .filter(({ logged, by, what }) =>
      [by, what, logged.event.kind, subjectOf(logged) ?? ''].some((each) =>
        each.toLowerCase().includes(wanted),
      ),
    )
  return (
    <div class="stack">
      <PageHead title="Audit" lead="Every change, with who made it and why. The log is only ever added to.">
        <Tabs label="Whose" names={WHO} value={who} onChange={setWho} />
        <input
          type="search"
          data-search
          class="filter"
          aria-label="Filter by actor, kind or text"
          placeholder="Filter  ( / )"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </PageHead>
      {error && <ErrorNote error={error} again={older} />}
      {!error && isLoading && events.length === 0 && <Loading what="the log" />}
      {!isLoading && shown.length === 0 && (
        <Empty title="Nothing of that kind among the newest">
          <p>{oldest > 0 ? 'Older ones may have it.' : 'This is the whole log.'}</p>
        </Empty>
      )}
      {shown.length > 0 && (
        <DataTable
          caption="Events, newest first"
          rows={shown.slice(0, MOST_ROWS)}
          keyOf={({ logged }) => `${logged.sequence}`}
          columns={[
            { title: 'When', isTight: true, cell: ({ logged }) => <Moment at={logged.at} now={now} /> },
            { title: 'Who', isTight: true, cell: ({ by }) => by },
            { title: 'What', cell: ({ what }) => what },
            {
              title: 'Of',
              isTight: true,
              isExtra: true,
              cell: ({ logged }) => {
                const workload = subjectOf(logged)
                return workload && <Link to={`/workloads/${encodeURIComponent(workload)}`}>{workload}</Link>
              },
            },
            { title: 'By the command', isTight: true, isExtra: true, cell: ({ logged }) => logged.cause },
          ]}
        />
      )}
      <div class="row">
        <button type="button" disabled={isLoading || oldest === 0} onClick={older}>
          {oldest === 0 ? 'That is all' : 'Look further back'}
        </button>
        <button
          type="button"
          disabled={shown.length === 0}
          onClick={() =>
            saveFile(
              'audit.csv',
              csvOf(
                ['sequence', 'at', 'actor', 'cause', 'kind', 'what', 'event'],
                shown.map(({ logged, by, what }) => [
                  logged.sequence,
                  new Date(logged.at).toISOString(),
                  by,
                  logged.cause,
                  logged.event.kind,
                  what,
                  JSON.stringify(logged.event),
                ]),
              ),
            )
          }
        >
          Export these {numberText(shown.length)} as CSV
        </button>
      </div>
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

/** The newest pages of the log, and as many before them as were asked for. */
function useLog() {
  const { client } = useSignedIn()
  const [pages, setPages] = useState(1)
  const [log, setLog] = useState<{ readonly events: readonly LoggedEventView[]; readonly oldest: number }>()
  const [error, setError] = useState<Error>()
  const [isLoading, setLoading] = useState(true)
  useEffect(() => {
    const over = new AbortController()
    const read = async () => {
      setLoading(true)
      const { newest } = await client.listEvents({ limit: 1 }, { signal: over.signal })
      const end = log?.oldest ?? newest
      const from = Math.max(0, end - PAGE)
      const found: LoggedEventView[] = []
      for (let after = from; after < end; ) {
        const page = await client.listEvents({ after, limit: PAGE }, { signal: over.signal })
        found.push(...page.items.filter(({ sequence }) => sequence <= end))
        if (page.last <= after) break
        after = page.last
      }
      setLog({ events: [...(log?.events ?? []), ...found.reverse()], oldest: from })
      setError(undefined)
    }
    read()
      .catch((reason: unknown) => {
        if (!over.signal.aborted) setError(reason instanceof Error ? reason : new Error(String(reason)))
      })
      .finally(() => {
        if (!over.signal.aborted) setLoading(false)
      })
    return () => over.abort(new DOMException('no longer shown', 'AbortError'))
  }, [client, pages])
  return {
    events: log?.events ?? [],
    oldest: log?.oldest ?? -1,
    error,
    isLoading,
    older: () => setPages(pages + 1),
  }
}
