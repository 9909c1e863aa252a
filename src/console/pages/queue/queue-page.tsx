import { useState } from 'preact/hooks'
import type { WaitingView } from '../../../api/wire/waiting.ts'
import { useAnswer } from '../../core/answer.ts'
import { useNow } from '../../core/clock.ts'
import { useParam } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { countText, numberText } from '../../core/values.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { Link } from '../../parts/link.tsx'
import { Forecast, Moment } from '../../parts/moment.tsx'
import { Answered, Empty } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { Borrowing } from './borrowing.tsx'
import { ShareHistory } from './share-history.tsx'

const PAGE = 100

/** What waits, in the order in which it would start: when, and what holds it up. */
export function QueuePage() {
  const { client } = useSignedIn()
  const [text, setText] = useParam<string>('find', '')
  const answer = useAnswer('waiting', (signal) => client.listWaiting({}, { signal }), { everyMs: 4_000 })
  return (
    <div class="stack">
      <PageHead
        title="Queue"
        lead="What waits, in the order in which the scheduler would start it. Times are forecasts: the scheduler run forward from now."
      >
        <input
          type="search"
          data-search
          class="filter"
          aria-label="Filter by workload, user or queue"
          placeholder="Filter  ( / )"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </PageHead>
      <Answered answer={answer} what="the queue">
        {({ items }) => <Line items={items} text={text} />}
      </Answered>
      <Borrowing />
      <ShareHistory />
    </div>
  )
}

function Line({ items, text }: { readonly items: readonly WaitingView[]; readonly text: string }) {
  const now = useNow()
  const [shown, setShown] = useState(PAGE)
  const wanted = text.trim().toLowerCase()
  const matching = items.filter(({ workload, name, queue, owner }) =>
    [workload, name, queue, owner.user].some((each) => each.toLowerCase().includes(wanted)),
  )
  if (items.length === 0) {
    return (
      <Empty title="Nothing waits">
        <p>Whatever is submitted now starts as soon as it fits.</p>
      </Empty>
    )
  }
  if (matching.length === 0) return <Empty title={`Nothing that waits has “${text}” in its name`} />
  const gpus = matching.reduce((sum, each) => sum + each.gpus, 0)
  return (
    <>
      <p class="muted">
        {countText(matching.length, 'gang')} {matching.length === 1 ? 'waits' : 'wait'} for{' '}
        {countText(gpus, 'GPU')}.
      </p>
      <DataTable
        caption="What waits"
        rows={matching.slice(0, shown)}
        keyOf={({ workload, replica }) => `${workload} ${replica}`}
        columns={[
          { title: '#', isNumber: true, cell: ({ position }) => numberText(position) },
          {
            title: 'Workload',
            cell: ({ workload, name, replica, type }) => (
              <>
                <Link to={`/workloads/${encodeURIComponent(workload)}`}>{workload}</Link> {name}
                {type === 'serve' && <span class="muted"> replica {replica}</span>}
              </>
            ),
          },
          {
            title: 'Queue',
            isExtra: true,
            cell: ({ queue, owner }) => (
              <>
                {queue} <span class="muted">{owner.user}</span>
              </>
            ),
          },
          { title: 'Priority', isExtra: true, cell: ({ priority }) => priority },
          { title: 'GPUs', isNumber: true, cell: ({ gpus: each }) => numberText(each) },
          {
            title: 'Waits since',
            isTight: true,
            isExtra: true,
            cell: ({ submittedAt }) => <Moment at={submittedAt} now={now} />,
          },
          {
            title: 'Starts',
            isTight: true,
            cell: ({ forecast }) =>
              forecast ? (
                <Forecast forecast={forecast} now={now} />
              ) : (
                <span class="muted">not foreseen yet</span>
              ),
          },
          {
            title: 'Held up by',
            cell: ({ blockers: [first, ...others] }) =>
              first ? (
                <span class="clamp" title={first.message}>
                  <span class="badge warn">{first.kind}</span> {first.message}
                  {others.length > 0 && (
                    <span class="muted"> and {others.map(({ kind }) => kind).join(', ')}</span>
                  )}
                </span>
              ) : (
                <span class="muted">nothing: it starts with the next pass</span>
              ),
          },
        ]}
      />
      {matching.length > shown && (
        <button type="button" onClick={() => setShown(shown + PAGE)}>
          Show more of the {numberText(matching.length - shown)} others
        </button>
      )}
    </>
  )
}
