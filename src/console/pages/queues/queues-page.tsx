import type { QueueView } from '../../../api/wire/queue.ts'
import { useAnswer } from '../../core/answer.ts'
import { setParams, usePlace } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { numberText } from '../../core/values.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { Answered, Empty } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { ShareBar } from '../../parts/share-bar.tsx'
import { PolicyCard } from './policy-card.tsx'
import { QueueEditor } from './queue-editor.tsx'

/** The tree of queues with use against guarantee, and the policy; operators try a change before they make it. */
export function QueuesPage() {
  const { client, who } = useSignedIn()
  const chosen = usePlace().params.get('queue')
  const answer = useAnswer('queues', (signal) => client.listQueues({}, { signal }), { everyMs: 5_000 })
  const isOperator = who.user.role === 'operator'
  return (
    <div class="stack">
      <PageHead
        title="Shares"
        lead="Who is guaranteed what, and who uses what. What is guaranteed but idle is lent, and comes back when its owner asks."
      />
      <Answered answer={answer} what="the queues">
        {({ items }) => {
          const queue = items.find(({ id }) => id === chosen)
          return items.length === 0 ? (
            <Empty title="There are no queues that you may see" />
          ) : (
            <>
              <Tree queues={items} />
              {queue && isOperator && <QueueEditor key={queue.id} queue={queue} again={answer.again} />}
            </>
          )
        }}
      </Answered>
      <PolicyCard isOperator={isOperator} />
    </div>
  )
}

function Tree({ queues }: { readonly queues: readonly QueueView[] }) {
  const most = Math.max(
    1,
    ...queues.map(({ heldGpus, guaranteedGpus }) => Math.max(heldGpus, guaranteedGpus)),
  )
  const parents = new Map(queues.map(({ id, parent }) => [id, parent]))
  const depthOf = (id: string): number => {
    const parent = parents.get(id)
    return parent === undefined ? 0 : 1 + depthOf(parent)
  }
  return (
    <DataTable
      caption="Queues, parents before children"
      rows={queues}
      keyOf={({ id }) => id}
      columns={[
        {
          title: 'Queue',
          cell: ({ id }) => (
            <button
              type="button"
              class="plain link"
              style={{ marginLeft: `${depthOf(id) * 20}px` }}
              onClick={() => setParams({ queue: id })}
            >
              {id.split('/').at(-1)}
            </button>
          ),
        },
        {
          title: 'Use against guarantee',
          cell: ({ heldGpus, guaranteedGpus }) => (
            <ShareBar held={heldGpus} guaranteed={guaranteedGpus} most={most} />
          ),
        },
        { title: 'Holds', isNumber: true, cell: ({ heldGpus }) => numberText(heldGpus) },
        {
          title: 'Guaranteed',
          isNumber: true,
          cell: ({ guaranteedGpus, guaranteedDomains: domains }) => (
            <>
              {numberText(guaranteedGpus)}
              {domains && ` + ${domains.count} × ${domains.level}`}
            </>
          ),
        },
        {
          title: 'Limit',
          isNumber: true,
          isExtra: true,
          cell: ({ limitGpus }) => (limitGpus === undefined ? 'none' : numberText(limitGpus)),
        },
        { title: 'Weight', isNumber: true, isExtra: true, cell: ({ weight }) => numberText(weight) },
        { title: 'Lends', isExtra: true, cell: ({ lendable }) => (lendable ? 'yes' : 'no') },
        {
          title: 'Runs',
          isNumber: true,
          isExtra: true,
          cell: ({ runningWorkloads }) => numberText(runningWorkloads),
        },
        { title: 'Waits', isNumber: true, cell: ({ queuedWorkloads }) => numberText(queuedWorkloads) },
      ]}
    />
  )
}
