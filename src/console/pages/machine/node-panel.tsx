import { useState } from 'preact/hooks'
import type { MachineNodeView } from '../../../api/wire/machine.ts'
import type { NodeView } from '../../../api/wire/node.ts'
import type { NodeAction } from '../../../model/actions.ts'
import { useAnswer } from '../../core/answer.ts'
import { useNow } from '../../core/clock.ts'
import { useSignedIn } from '../../core/session.ts'
import { fromNowText, momentText } from '../../core/values.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Link } from '../../parts/link.tsx'
import { Answered, ErrorNote } from '../../parts/notes.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'

interface Props {
  readonly node: MachineNodeView
  readonly domains: readonly string[]
  readonly turn: number
  readonly onClose: () => void
}

const ACTION_NAMES: Readonly<Record<NodeAction, { name: string; meaning: string }>> = {
  cordon: { name: 'Cordon', meaning: 'It takes nothing new; what runs on it goes on.' },
  drain: { name: 'Drain', meaning: 'It takes nothing new, and what runs on it is asked to move.' },
  resume: { name: 'Resume', meaning: 'It takes work again.' },
}

/** One node: where it stands, how it is and why, who is on it, and what an operator may do. */
export function NodePanel({ node, domains, onClose }: Props) {
  const { client } = useSignedIn()
  const [order, setOrder] = useState<NodeAction>()
  const answer = useAnswer(`node/${node.id}`, (signal) => client.getNode({ id: node.id }, { signal }), {
    everyMs: 3_000,
  })
  return (
    <aside class="card node-panel" aria-label={`Node ${node.id}`}>
      <header>
        <h2>{node.id}</h2>
        <button type="button" class="plain" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="card-body stack">
        <p class="muted">{domains.join(' / ')}</p>
        <Answered answer={answer} what="the node">
          {(data) => <NodeFacts node={data} onOrder={setOrder} />}
        </Answered>
      </div>
      {order && (
        <OrderDialog
          id={node.id}
          action={order}
          onClose={() => {
            setOrder(undefined)
            answer.again()
          }}
        />
      )}
    </aside>
  )
}

function NodeFacts({
  node,
  onOrder,
}: {
  readonly node: NodeView
  readonly onOrder: (action: NodeAction) => void
}) {
  const now = useNow()
  const { stateActor } = node
  const by = stateActor.kind === 'user' ? stateActor.id : stateActor.kind
  return (
    <>
      <dl class="pairs">
        <dt>State</dt>
        <dd>
          <StateBadge state={node.state} />{' '}
          {node.contact === 'lost' && <span class="badge warn">contact lost</span>}
        </dd>
        <dt>Since</dt>
        <dd title={momentText(node.stateSince)}>
          {fromNowText(node.stateSince, now)}, by {by}
        </dd>
        {node.stateReason && (
          <>
            <dt>Reason</dt>
            <dd>{node.stateReason}</dd>
          </>
        )}
        <dt>GPUs</dt>
        <dd>
          {node.gpuCount} × {node.gpuModel}, {Math.round(node.allocatedMilliGpus / 100) / 10} in use
        </dd>
        <dt>CPUs</dt>
        <dd>
          {node.cpuCount}, {Math.round(node.memoryBytes / 2 ** 30)} GiB
        </dd>
        <dt>Address</dt>
        <dd>
          <code>{node.address}</code>
        </dd>
      </dl>
      <div>
        <h3>On it</h3>
        {node.attempts.length === 0 ? (
          <p class="muted">{node.allocatedMilliGpus > 0 ? 'Only work that you may not see.' : 'Nothing.'}</p>
        ) : (
          <ul>
            {node.attempts.map(({ attempt, workload, gpus }) => (
              <li key={attempt}>
                <Link to={`/workloads/${encodeURIComponent(workload)}`}>{workload}</Link>{' '}
                <span class="muted">
                  attempt {attempt}, GPU {gpus.join(', ')}
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
      {node.actions.length > 0 && (
        <div class="row">
          {(node.actions as readonly NodeAction[]).map((action) => (
            <button
              type="button"
              key={action}
              title={ACTION_NAMES[action].meaning}
              onClick={() => onOrder(action)}
            >
              {ACTION_NAMES[action].name}
            </button>
          ))}
        </div>
      )}
    </>
  )
}

interface OrderProps {
  readonly id: string
  readonly action: NodeAction
  readonly onClose: () => void
}

function OrderDialog({ id, action, onClose }: OrderProps) {
  const { client } = useSignedIn()
  const [reason, setReason] = useState('')
  const [error, setError] = useState<Error>()
  const { name, meaning } = ACTION_NAMES[action]
  const send = async () => {
    const call = { cordon: client.cordonNode, drain: client.drainNode, resume: client.resumeNode }[action]
    try {
      await call({ id, reason: reason.trim() })
      onClose()
    } catch (failure) {
      setError(failure as Error)
    }
  }
  return (
    <Dialog title={`${name} ${id}`} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <p>{meaning}</p>
        <label>
          Reason, for whoever looks at it next
          <input
            required
            maxLength={1000}
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        {error && <ErrorNote error={error} />}
        <div class="row">
          <button type="submit" class="primary">
            {name}
          </button>
          <button type="button" onClick={onClose}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  )
}
