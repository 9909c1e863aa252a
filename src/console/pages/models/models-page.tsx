import { useState } from 'preact/hooks'
import type { EndpointView } from '../../../api/wire/endpoint.ts'
import { mayChange } from '../../../model/rights.ts'
import { useAnswer } from '../../core/answer.ts'
import { useSignedIn } from '../../core/session.ts'
import { countText, millisecondsText, numberText, percentText } from '../../core/values.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Link } from '../../parts/link.tsx'
import { Answered, Empty, ErrorNote } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { Chat } from './chat.tsx'

/** Served models with their replicas; below its path, a conversation with one. */
export function ModelsPage({ id }: { readonly id: string }) {
  return id === '' ? <ModelList /> : <Chat key={id} model={id} />
}

function ModelList() {
  const { client } = useSignedIn()
  const [scaled, setScaled] = useState<EndpointView>()
  const answer = useAnswer('endpoints', (signal) => client.listEndpoints({}, { signal }), { everyMs: 3_000 })
  return (
    <div class="stack">
      <PageHead
        title="Models"
        lead="Models that are served here, by OpenAI’s API under /v1 of this address. Rates and times are of the last five minutes."
      />
      <Answered answer={answer} what="the models">
        {({ items }) => (items.length === 0 ? <NoModels /> : <Endpoints items={items} onScale={setScaled} />)}
      </Answered>
      {scaled && (
        <ScaleDialog
          endpoint={scaled}
          onClose={() => {
            setScaled(undefined)
            answer.again()
          }}
        />
      )}
    </div>
  )
}

function NoModels() {
  return (
    <Empty title="No model is served">
      <p>
        A workload of type serve does that: <Link to="/submit">submit one</Link>.
      </p>
    </Empty>
  )
}

interface EndpointsProps {
  readonly items: readonly EndpointView[]
  readonly onScale: (endpoint: EndpointView) => void
}

function Endpoints({ items, onScale }: EndpointsProps) {
  const { who } = useSignedIn()
  return (
    <DataTable
      caption="Served models"
      rows={items}
      keyOf={({ workload }) => workload}
      columns={[
        {
          title: 'Model',
          isTight: true,
          cell: ({ model, workload, owner }) => (
            <>
              <b>{model}</b>
              <br />
              <Link to={`/workloads/${encodeURIComponent(workload)}`}>{workload}</Link>{' '}
              <span class="muted">{owner.team}</span>
            </>
          ),
        },
        { title: 'State', isTight: true, cell: ({ state }) => <StateBadge state={state} /> },
        {
          title: 'Do',
          isTight: true,
          cell: (endpoint) => (
            <span class="row">
              {endpoint.readyReplicas > 0 && (
                <Link class="button" to={`/models/${encodeURIComponent(endpoint.model)}`}>
                  Chat
                </Link>
              )}
              {mayChange(who.user, endpoint.owner) && (
                <button type="button" onClick={() => onScale(endpoint)}>
                  Scale
                </button>
              )}
            </span>
          ),
        },
        {
          title: 'Replicas ready',
          isNumber: true,
          cell: ({ readyReplicas, wantedReplicas, replicas }) => (
            <>
              {readyReplicas} of {wantedReplicas}
              <Nodes names={[...new Set(replicas.flatMap(({ nodes }) => nodes))]} />
            </>
          ),
        },
        {
          title: 'Requests',
          isNumber: true,
          cell: ({ replicas, traffic }) => (
            <>
              {numberText(replicas.reduce((sum, { outstanding = 0 }) => sum + outstanding, 0))} now
              <br />
              <span class="muted">
                {traffic
                  ? `${numberText(Number(traffic.requestsPerSecond.toPrecision(3)))}/s`
                  : 'none lately'}
              </span>
            </>
          ),
        },
        {
          title: 'Latency p50 / p99',
          isNumber: true,
          cell: ({ traffic }) => percentilesText(traffic?.latencyMs),
        },
        {
          title: 'First token p50 / p99',
          isNumber: true,
          isExtra: true,
          cell: ({ traffic }) => percentilesText(traffic?.firstTokenMs),
        },
        {
          title: 'Errors',
          isNumber: true,
          cell: ({ traffic }) =>
            traffic && (
              <span title={`${countText(traffic.errors, 'request')} answered 429 or from 500 on`}>
                {percentText(traffic.errorShare)}
              </span>
            ),
        },
      ]}
    />
  )
}

function Nodes({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return null
  return (
    <>
      <br />
      <span class="muted" title={names.join(', ')}>
        on {names.length === 1 ? names[0] : countText(names.length, 'node')}
      </span>
    </>
  )
}

function percentilesText(times: NonNullable<EndpointView['traffic']>['latencyMs']): string {
  return times ? `${millisecondsText(times.p50)} / ${millisecondsText(times.p99)}` : ''
}

function ScaleDialog({
  endpoint,
  onClose,
}: {
  readonly endpoint: EndpointView
  readonly onClose: () => void
}) {
  const { client } = useSignedIn()
  const [replicas, setReplicas] = useState(endpoint.wantedReplicas)
  const [error, setError] = useState<Error>()
  const scale = async () => {
    try {
      await client.scaleWorkload({ id: endpoint.workload, replicas })
      onClose()
    } catch (failure) {
      setError(failure as Error)
    }
  }
  return (
    <Dialog title={`Scale ${endpoint.model}`} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void scale()
        }}
      >
        <label>
          Replicas
          <input
            type="number"
            min="0"
            max="10000"
            required
            value={replicas}
            onInput={(event) => setReplicas(event.currentTarget.valueAsNumber)}
          />
        </label>
        {error && <ErrorNote error={error} />}
        <button type="submit" class="primary">
          Scale
        </button>
      </form>
    </Dialog>
  )
}
