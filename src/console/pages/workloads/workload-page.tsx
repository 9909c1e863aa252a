import { useState } from 'preact/hooks'
import type { AttemptView } from '../../../api/wire/attempt.ts'
import type { WorkloadView } from '../../../api/wire/workload.ts'
import { formatDuration } from '../../../base/units.ts'
import type { WorkloadAction } from '../../../model/actions.ts'
import { mayChange } from '../../../model/rights.ts'
import { isFinal } from '../../../model/workload.ts'
import { useAnswer } from '../../core/answer.ts'
import { useNow } from '../../core/clock.ts'
import { go } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { gpuHoursText, momentText, numberText, percentText } from '../../core/values.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Link } from '../../parts/link.tsx'
import { Moment } from '../../parts/moment.tsx'
import { NodeLinks } from '../../parts/node-links.tsx'
import { Answered, ErrorNote } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { Explain } from './explain.tsx'
import { LifeLine } from './life-line.tsx'
import { Logs } from './logs.tsx'
import { ProgressPlots } from './progress-plots.tsx'
import { Ranks } from './ranks.tsx'
import { SpecCard } from './spec-card.tsx'
import { useEvents } from './workload-events.ts'

/** Of an attempt, in its row. */
const NODES_SHOWN = 3

/** The whole of one workload: where it is in its life, why, how it goes, and what can be done. */
export function WorkloadPage({ id }: { readonly id: string }) {
  const { client } = useSignedIn()
  const answer = useAnswer(`workload/${id}`, (signal) => client.getWorkload({ id }, { signal }), {
    everyMs: 3_000,
  })
  return (
    <div class="stack">
      {answer.data === undefined && <PageHead title={id} />}
      <Answered answer={answer} what="the workload">
        {(workload) => <Whole workload={workload} again={answer.again} />}
      </Answered>
    </div>
  )
}

function Whole({ workload, again }: { readonly workload: WorkloadView; readonly again: () => void }) {
  const { client } = useSignedIn()
  const now = useNow()
  const { id, spec, state, attemptCount } = workload
  const attempts = useAnswer(`attempts/${id}/${attemptCount}/${state}`, (signal) =>
    client.listAttempts({ id }, { signal }),
  )
  const { events, error } = useEvents(id)
  const items = attempts.data?.items ?? []
  const newest = items.at(-1)
  return (
    <div class="stack">
      <PageHead title={`${id} ${spec.name}`}>
        <StateBadge state={state} />
        <Actions workload={workload} again={again} />
      </PageHead>
      <Facts workload={workload} now={now} />
      {workload.stateReason && <p class="reason">{workload.stateReason}</p>}
      {state === 'queued' && <Explain workload={workload} now={now} />}
      {error && <ErrorNote error={error} />}
      <ProgressPlots events={events} />
      {workload.progress && <Ranks id={id} isLive={!isFinal(state)} />}
      <Answered answer={attempts} what="the attempts">
        {() => <LifeLine workload={workload} attempts={items} events={events} now={now} />}
      </Answered>
      {attemptCount > 0 && <Logs workload={id} taskCount={newest ? tasksOf(workload, newest) : 1} />}
      {items.length > 0 && <Attempts attempts={items} now={now} />}
      <SpecCard workload={workload} />
    </div>
  )
}

function tasksOf({ spec }: WorkloadView, { allocation }: AttemptView): number {
  if (spec.program.tasksPer === 'node') return allocation.parts.length
  return allocation.parts.reduce((sum, { gpus }) => sum + Math.max(1, gpus.length), 0)
}

function Facts({ workload, now }: { readonly workload: WorkloadView; readonly now: number }) {
  const {
    gpus,
    queue,
    owner,
    submittedAt,
    firstStartedAt,
    progress,
    endsAt,
    usage,
    checkpoint,
    spec,
    state,
  } = workload
  const started = firstStartedAt ?? (isFinal(state) ? workload.stateSince : now)
  return (
    <dl class="facts">
      <div>
        <dt>{state === 'running' ? 'Holds' : 'Asks for'}</dt>
        <dd>
          {numberText(gpus)} <span class="muted">GPUs</span>
        </dd>
      </div>
      <div>
        <dt>Submitted by</dt>
        <dd title={momentText(submittedAt)}>
          {owner.user} <span class="muted">in {queue}</span>
        </dd>
      </div>
      <div>
        <dt>{firstStartedAt === undefined ? 'Waits since' : 'Waited'}</dt>
        <dd>{formatDuration(Math.max(0, started - submittedAt))}</dd>
      </div>
      {progress && (
        <div>
          <dt>Step</dt>
          <dd>
            {numberText(progress.step)}
            {progress.totalSteps !== undefined && (
              <span class="muted">
                {' '}
                of {numberText(progress.totalSteps)}, {percentText(progress.step / progress.totalSteps)}
              </span>
            )}
          </dd>
        </div>
      )}
      {progress?.loss !== undefined && (
        <div>
          <dt>Loss</dt>
          <dd>{progress.loss.toPrecision(4)}</dd>
        </div>
      )}
      {endsAt !== undefined && (
        <div>
          <dt>Ends</dt>
          <dd>
            <Moment at={endsAt} now={now} />
          </dd>
        </div>
      )}
      {spec.type === 'serve' && (
        <div>
          <dt>Replicas ready</dt>
          <dd>
            {workload.readyReplicas ?? 0} <span class="muted">of {spec.replicas}</span>
          </dd>
        </div>
      )}
      {checkpoint && (
        <div>
          <dt>Last checkpoint</dt>
          <dd title={checkpoint.path}>
            step {numberText(checkpoint.step)}{' '}
            <span class="muted">{<Moment at={checkpoint.at} now={now} />}</span>
          </dd>
        </div>
      )}
      <div>
        <dt title="Of attempts that have ended">Billed</dt>
        <dd>
          {gpuHoursText(usage.billed)} <span class="muted">GPU-hours</span>
        </dd>
      </div>
      {usage.lost > 0 && (
        <div>
          <dt title="Since the last checkpoint, when an attempt broke off">Lost</dt>
          <dd>
            {gpuHoursText(usage.lost)} <span class="muted">GPU-hours</span>
          </dd>
        </div>
      )}
    </dl>
  )
}

const ORDERS: Readonly<
  Partial<Record<WorkloadAction, { name: string; question: string; isDanger?: true; isLater?: true }>>
> = {
  stop: { name: 'Stop', question: 'It gets a signal to save, and then ends.', isDanger: true },
  kill: { name: 'Kill', question: 'It ends at once, without a chance to save.', isDanger: true },
  resubmit: {
    name: 'Submit again',
    question:
      'The same spec is submitted as a new workload; it goes on from its checkpoint where it has one.',
  },
}

function Actions({ workload, again }: { readonly workload: WorkloadView; readonly again: () => void }) {
  const { client, who } = useSignedIn()
  const canChange = mayChange(who.user, workload.owner)
  const [asked, setAsked] = useState<WorkloadAction>()
  const [error, setError] = useState<Error>()
  const { id } = workload
  const act = async (action: WorkloadAction) => {
    setError(undefined)
    try {
      if (action === 'resubmit') {
        const { workloads } = await client.resubmitWorkload({ id })
        if (workloads[0]) go(`/workloads/${encodeURIComponent(workloads[0].id)}`)
      } else await client.stopWorkload({ id, kill: action === 'kill' })
      setAsked(undefined)
      again()
    } catch (failure) {
      setError(failure as Error)
    }
  }
  const order = asked && ORDERS[asked]
  return (
    <div class="row">
      {workload.liveAttempts.length > 0 && (
        <Link class="button" to={`/machine?find=${encodeURIComponent(id)}`}>
          Show on the machine
        </Link>
      )}
      {who.user.role !== 'viewer' && (
        <Link class="button" to={`/submit?from=${encodeURIComponent(id)}`}>
          {workload.state === 'queued' && canChange ? 'Edit' : 'Edit as new'}
        </Link>
      )}
      {(canChange ? (workload.actions as readonly WorkloadAction[]) : []).map((action) => {
        const known = ORDERS[action]
        return (
          known && (
            <button
              type="button"
              key={action}
              class={known.isDanger ? 'danger' : ''}
              onClick={() => setAsked(action)}
            >
              {known.name}
            </button>
          )
        )
      })}
      {asked && order && (
        <Dialog title={`${order.name} ${id}?`} onClose={() => setAsked(undefined)}>
          <p>{order.question}</p>
          {error && <ErrorNote error={error} />}
          <div class="row">
            <button
              type="button"
              class={order.isDanger ? 'danger' : 'primary'}
              onClick={() => void act(asked)}
            >
              {order.name}
            </button>
            <button type="button" onClick={() => setAsked(undefined)}>
              Leave it
            </button>
          </div>
        </Dialog>
      )}
    </div>
  )
}

function Attempts({ attempts, now }: { readonly attempts: readonly AttemptView[]; readonly now: number }) {
  return (
    <section class="stack" aria-label="Attempts">
      <h2>Attempts</h2>
      <DataTable
        caption="Attempts, newest first"
        rows={attempts.toReversed()}
        keyOf={({ id }) => id}
        columns={[
          { title: '#', isNumber: true, cell: ({ number }) => number },
          {
            title: 'Outcome',
            isTight: true,
            cell: ({ outcome, state }) => <StateBadge state={outcome ?? state} />,
          },
          {
            title: 'Nodes',
            cell: ({ allocation }) => (
              <NodeLinks names={allocation.parts.map(({ node }) => node)} shown={NODES_SHOWN} />
            ),
          },
          { title: 'Started', isTight: true, cell: ({ plannedAt }) => <Moment at={plannedAt} now={now} /> },
          {
            title: 'Ran',
            isTight: true,
            cell: ({ runningAt, endedAt }) =>
              runningAt === undefined ? '' : formatDuration(Math.max(0, (endedAt ?? now) - runningAt)),
          },
          {
            title: 'GPU-hours',
            isNumber: true,
            isExtra: true,
            cell: ({ usage }) => (usage ? gpuHoursText(usage.held) : ''),
          },
          {
            title: 'What happened',
            cell: ({ failure, stop }) =>
              failure ? (
                <>
                  <b>{failure.class}</b> {failure.message}
                </>
              ) : (
                stop?.reason
              ),
          },
        ]}
      />
    </section>
  )
}
