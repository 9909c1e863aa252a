import { useState } from 'preact/hooks'
import type { Explained, ExplanationView } from '../../../api/wire/explanation.ts'
import type { WorkloadView } from '../../../api/wire/workload.ts'
import { SECOND_MS } from '../../../base/units.ts'
import { mayChange } from '../../../model/rights.ts'
import { useAnswer } from '../../core/answer.ts'
import { go } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { durationText, writtenSpec } from '../../core/spec-text.ts'
import { countText, numberText } from '../../core/values.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Link } from '../../parts/link.tsx'
import { Forecast, Moment } from '../../parts/moment.tsx'
import { Answered, ErrorNote } from '../../parts/notes.tsx'

type Counterfactual = ExplanationView['counterfactuals'][number]
type Blocker = ExplanationView['blockers'][number]

const HOLDERS_SHOWN = 5

/** Why it waits, who holds what it needs, and what would change that: each change was tried, and can be made here. */
export function Explain({ workload, now }: { readonly workload: WorkloadView; readonly now: number }) {
  const { client, who } = useSignedIn()
  const [chosen, setChosen] = useState<Counterfactual>()
  const answer = useAnswer(
    `explain/${workload.id}`,
    (signal) => client.explainWorkload({ id: workload.id }, { signal }),
    { everyMs: 6_000 },
  )
  return (
    <section class="card" aria-label="Why it waits">
      <header>
        <h2>Why it waits</h2>
      </header>
      <div class="card-body stack">
        <Answered answer={answer} what="the explanation">
          {(data) => (
            <Reasons
              explained={data}
              now={now}
              canChange={workload.actions.includes('stop') && mayChange(who.user, workload.owner)}
              onChoose={setChosen}
            />
          )}
        </Answered>
      </div>
      {chosen && <ChangeDialog workload={workload} change={chosen} onClose={() => setChosen(undefined)} />}
    </section>
  )
}

interface ReasonsProps {
  readonly explained: Explained
  readonly now: number
  readonly canChange: boolean
  readonly onChoose: (change: Counterfactual) => void
}

function Reasons({ explained, now, canChange, onChoose }: ReasonsProps) {
  const [first] = explained.explanations
  if (!first) return <p class="muted">{explained.stateReason || 'It does not wait any more.'}</p>
  const { position, blockers, counterfactuals } = first
  const sorted = counterfactuals.toSorted((a, b) => Number(b.startsNow) - Number(a.startsNow))
  return (
    <>
      <p>
        Number <b>{numberText(position)}</b> in the line
        {explained.forecast && (
          <>
            ; starts <b>{<Forecast forecast={explained.forecast} now={now} />}</b>
            {explained.forecast.hangsOn && (
              <span class="muted">, which hangs on {explained.forecast.hangsOn}</span>
            )}
          </>
        )}
        .
      </p>
      {blockers.length === 0 && <p class="muted">Nothing holds it up: it starts with the next pass.</p>}
      <ul class="blockers">
        {blockers.map((blocker) => (
          <BlockerItem key={`${blocker.kind} ${blocker.message}`} blocker={blocker} now={now} />
        ))}
      </ul>
      {sorted.length > 0 && (
        <div>
          <h3>What would help</h3>
          <p class="hint">Each was tried on a copy of the machine as it is now.</p>
          <ul class="tried">
            {sorted.map((change) => (
              <li key={change.message}>
                <span class={`badge ${change.startsNow ? 'good' : ''}`}>
                  {change.startsNow ? (
                    'starts now'
                  ) : change.startsAt === undefined ? (
                    'still waits'
                  ) : (
                    <>starts {<Moment at={change.startsAt} now={now} />}</>
                  )}
                </span>
                <span>{change.message}</span>
                {canChange && editOf(change) && (
                  <button type="button" onClick={() => onChoose(change)}>
                    {nameOf(change)}
                  </button>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  )
}

function BlockerItem({ blocker, now }: { readonly blocker: Blocker; readonly now: number }) {
  const { kind, message, holders, earliestEndAt } = blocker
  return (
    <li>
      <p>
        <span class="badge warn">{kind}</span> {message}
        {earliestEndAt !== undefined && (
          <span class="muted">
            {' '}
            The first of it ends by itself <Moment at={earliestEndAt} now={now} />.
          </span>
        )}
      </p>
      {holders.length > 0 && (
        <ul class="holders">
          {holders.slice(0, HOLDERS_SHOWN).map((holder) => (
            <li key={holder.workload}>
              <Link to={`/workloads/${encodeURIComponent(holder.workload)}`}>{holder.workload}</Link> of{' '}
              {holder.user} holds {countText(holder.gpus, 'GPU')}
              {holder.endsAt !== undefined && (
                <span class="muted">
                  , ends <Moment at={holder.endsAt} now={now} />
                </span>
              )}
            </li>
          ))}
          {holders.length > HOLDERS_SHOWN && <li class="muted">and {holders.length - HOLDERS_SHOWN} more</li>}
        </ul>
      )}
    </li>
  )
}

interface Edit {
  readonly set: Readonly<Record<string, string>>
  readonly without?: string
  readonly team?: string
}

/** The fields of the spec that make the change; none where it is not the submitter's to make. */
function editOf({ change }: Counterfactual): Edit | undefined {
  switch (change.kind) {
    case 'fewer-nodes':
      return { set: { nodes: String(change.nodes) } }
    case 'fewer-gpus':
      return { set: { gpus: String(change.gpus) } }
    case 'wider-level':
      return { set: { 'topology.within.level': String(change.level) } }
    case 'any-level':
      return { set: {}, without: 'topology' }
    case 'other-gpu':
      return { set: { gpu: String(change.model) } }
    case 'other-queue':
      return { set: {}, team: String(change.queue) }
    case 'shorter-limit':
      return { set: { 'time.limit': limitText(change.limitMs) } }
    default:
      return undefined
  }
}

function nameOf({ change }: Counterfactual): string {
  switch (change.kind) {
    case 'fewer-nodes':
      return `Run on ${countText(Number(change.nodes), 'node')}`
    case 'fewer-gpus':
      return `Run on ${countText(Number(change.gpus), 'GPU')}`
    case 'wider-level':
      return `Within one ${String(change.level)}`
    case 'any-level':
      return 'Anywhere'
    case 'other-gpu':
      return `On ${String(change.model)}`
    case 'other-queue':
      return `In ${String(change.queue)}`
    default:
      return `With a limit of ${limitText(change.limitMs)}`
  }
}

/** Rounded down, since it starts now with this limit or a shorter one. */
function limitText(limitMs: unknown): string {
  return durationText(Math.floor(Number(limitMs) / SECOND_MS) * SECOND_MS) ?? ''
}

interface ChangeProps {
  readonly workload: WorkloadView
  readonly change: Counterfactual
  readonly onClose: () => void
}

/** A waiting workload cannot be changed in place: the changed one is submitted, and then this one is cancelled. */
function ChangeDialog({ workload, change, onClose }: ChangeProps) {
  const { client } = useSignedIn()
  const [error, setError] = useState<Error>()
  const [isBusy, setBusy] = useState(false)
  const edit = editOf(change)
  const { spec: wanted } = workload
  const planned = wanted.type === 'train' ? wanted.planned : undefined
  const isSize =
    planned !== undefined &&
    'TENSOR_PARALLEL' in wanted.program.env &&
    ['fewer-nodes', 'fewer-gpus'].includes(change.change.kind)
  const make = async () => {
    if (!edit) return
    setBusy(true)
    try {
      const spec = writtenSpec(workload.spec)
      if (edit.without) delete spec[edit.without]
      const made = await client.submitWorkload({
        spec,
        set: edit.set,
        team: edit.team ?? workload.owner.team,
      })
      await client.stopWorkload({ id: workload.id })
      onClose()
      go(`/workloads/${encodeURIComponent(made.workloads[0]?.id ?? workload.id)}`)
    } catch (failure) {
      setError(failure as Error)
      setBusy(false)
    }
  }
  return (
    <Dialog title={nameOf(change)} onClose={onClose}>
      <p>{change.message}</p>
      <p class="muted">
        {workload.id} is submitted anew with this change, as a new workload at the end of its queue’s turn,
        and then {workload.id} is cancelled.
      </p>
      {isSize && (
        <p class="stale">
          Its environment has the strategy that was planned for {countText(planned.gpus, 'GPU')}.{' '}
          <Link to={`/submit?from=${encodeURIComponent(workload.id)}`}>Edit it</Link> to have another size
          planned.
        </p>
      )}
      {error && <ErrorNote error={error} />}
      <div class="row">
        <button type="button" class="primary" disabled={isBusy} onClick={() => void make()}>
          Do it
        </button>
        <button type="button" onClick={onClose}>
          Leave it
        </button>
      </div>
    </Dialog>
  )
}
