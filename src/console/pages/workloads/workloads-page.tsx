import { useEffect, useState } from 'preact/hooks'
import type { WorkloadView } from '../../../api/wire/workload.ts'
import { formatDuration } from '../../../base/units.ts'
import { isFinal, WORKLOAD_STATES, type WorkloadState } from '../../../model/workload.ts'
import { useAnswer } from '../../core/answer.ts'
import { useNow } from '../../core/clock.ts'
import { useParam } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { numberText, percentText } from '../../core/values.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { Link } from '../../parts/link.tsx'
import { Forecast, Moment } from '../../parts/moment.tsx'
import { Answered, Empty } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { Tabs } from '../../parts/tabs.tsx'
import { WorkloadPage } from './workload-page.tsx'

const SHOWN = { live: 'Live', ended: 'Ended', failed: 'Failed', all: 'All' } as const
type Shown = keyof typeof SHOWN
const STATES: Readonly<Record<Shown, readonly WorkloadState[]>> = {
  live: WORKLOAD_STATES.filter((state) => !isFinal(state)),
  ended: WORKLOAD_STATES.filter(isFinal),
  failed: ['failed'],
  all: WORKLOAD_STATES,
}
const PAGE = 100

/** All workloads, newest first; below its path, one of them. */
export function WorkloadsPage({ id }: { readonly id: string }) {
  return id === '' ? <WorkloadList /> : <WorkloadPage key={id} id={id} />
}

function WorkloadList() {
  const { client, who } = useSignedIn()
  const [shown, setShown] = useParam<Shown>('show', 'live')
  const [whose, setWhose] = useParam<'all' | 'mine'>('whose', 'all')
  const [limit, setLimit] = useState(PAGE)
  useEffect(() => setLimit(PAGE), [shown, whose])
  const answer = useAnswer(
    `workloads/${shown}/${whose}/${limit}`,
    (signal) =>
      client.listWorkloads(
        { state: [...STATES[shown]], limit, ...(whose === 'mine' ? { user: who.user.id } : {}) },
        { signal },
      ),
    { everyMs: 5_000 },
  )
  return (
    <div class="stack">
      <PageHead title="Workloads">
        <Tabs label="Which" names={SHOWN} value={shown} onChange={setShown} />
        <Tabs label="Whose" names={{ all: 'Everyone’s', mine: 'Mine' }} value={whose} onChange={setWhose} />
      </PageHead>
      <Answered answer={answer} what="workloads">
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty title="There are no such workloads">
              <p>
                <Link to="/submit">Submit one</Link>, or look at {shown === 'all' ? 'everyone’s' : 'all'}.
              </p>
            </Empty>
          ) : (
            <>
              <List items={items} />
              {next !== undefined && limit < 1000 && (
                <button type="button" onClick={() => setLimit(Math.min(1000, limit + 3 * PAGE))}>
                  Show more
                </button>
              )}
            </>
          )
        }
      </Answered>
    </div>
  )
}

function List({ items }: { readonly items: readonly WorkloadView[] }) {
  const now = useNow()
  return (
    <DataTable
      caption="Workloads, newest first"
      rows={items}
      keyOf={({ id }) => id}
      columns={[
        {
          title: 'Workload',
          cell: ({ id, spec }) => (
            <>
              <Link to={`/workloads/${encodeURIComponent(id)}`}>{id}</Link> {spec.name}
            </>
          ),
        },
        { title: 'State', isTight: true, cell: ({ state }) => <StateBadge state={state} /> },
        { title: 'Type', isExtra: true, cell: ({ spec }) => spec.type },
        {
          title: 'Queue',
          isExtra: true,
          cell: ({ queue, owner }) => (
            <>
              {queue} <span class="muted">{owner.user}</span>
            </>
          ),
        },
        { title: 'GPUs', isNumber: true, cell: ({ gpus }) => numberText(gpus) },
        {
          title: 'Submitted',
          isTight: true,
          isExtra: true,
          cell: ({ submittedAt }) => <Moment at={submittedAt} now={now} />,
        },
        { title: 'Progress', cell: (workload) => <Outlook workload={workload} now={now} /> },
      ]}
    />
  )
}

function Outlook({ workload, now }: { readonly workload: WorkloadView; readonly now: number }) {
  const { state, spec, progress, endsAt, forecast, stateReason, firstStartedAt, stateSince, readyReplicas } =
    workload
  if (state === 'queued') {
    return forecast ? (
      <>
        starts <Forecast forecast={forecast} now={now} />
      </>
    ) : (
      <span class="muted">{stateReason || 'start not foreseen yet'}</span>
    )
  }
  if (spec.type === 'serve' && !isFinal(state)) {
    return (
      <>
        {readyReplicas ?? 0} of {spec.replicas} replicas ready
      </>
    )
  }
  if (isFinal(state)) {
    const ran =
      firstStartedAt === undefined ? 'never started' : `ran ${formatDuration(stateSince - firstStartedAt)}`
    return (
      <span class="muted">
        {ran}
        {stateReason && `, ${stateReason}`}
      </span>
    )
  }
  return (
    <>
      {progress?.totalSteps !== undefined && `${percentText(progress.step / progress.totalSteps)} `}
      {endsAt !== undefined && (
        <span class="muted">
          ends <Moment at={endsAt} now={now} />
        </span>
      )}
      {progress === undefined && endsAt === undefined && <span class="muted">{stateReason || 'runs'}</span>}
    </>
  )
}
