import type { QueueView } from '../../../api/wire/queue.ts'
import { useAnswer } from '../../core/answer.ts'
import { useSignedIn } from '../../core/session.ts'
import { countText, numberText } from '../../core/values.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { Link } from '../../parts/link.tsx'
import { Answered, Empty } from '../../parts/notes.tsx'
import { ShareBar } from '../../parts/share-bar.tsx'

/** Which queues hold more than is theirs, and which less while their own work waits. */
export function Borrowing() {
  const { client } = useSignedIn()
  const answer = useAnswer('queues', (signal) => client.listQueues({}, { signal }), { everyMs: 5_000 })
  return (
    <section class="stack" aria-label="Who borrows">
      <h2>Who borrows from whom</h2>
      <Answered answer={answer} what="the queues">
        {({ items }) => <Balance queues={leavesOf(items)} />}
      </Answered>
    </section>
  )
}

/** Queues in which work stands itself: those that are no other's parent. */
function leavesOf(queues: readonly QueueView[]): QueueView[] {
  const parents = new Set(queues.flatMap(({ parent }) => parent ?? []))
  return queues.filter(({ id, heldGpus, queuedGpus }) => !parents.has(id) && heldGpus + queuedGpus > 0)
}

function Balance({ queues }: { readonly queues: readonly QueueView[] }) {
  if (queues.length === 0) return <Empty title="No queue holds or wants anything" />
  const most = Math.max(
    ...queues.map(({ heldGpus, guaranteedGpus }) => Math.max(heldGpus, guaranteedGpus)),
    1,
  )
  const sorted = queues.toSorted((a, b) => overOf(b) - overOf(a) || (a.id < b.id ? -1 : 1))
  return (
    <DataTable
      caption="Queues by what they hold beyond their guarantee"
      rows={sorted}
      keyOf={({ id }) => id}
      columns={[
        {
          title: 'Queue',
          cell: ({ id }) => <Link to={`/queues?queue=${encodeURIComponent(id)}`}>{id}</Link>,
        },
        { title: 'Holds', isNumber: true, cell: ({ heldGpus }) => numberText(heldGpus) },
        { title: 'Guaranteed', isNumber: true, cell: ({ guaranteedGpus }) => numberText(guaranteedGpus) },
        {
          title: 'Use against guarantee',
          isExtra: true,
          cell: ({ heldGpus, guaranteedGpus }) => (
            <ShareBar held={heldGpus} guaranteed={guaranteedGpus} most={most} />
          ),
        },
        { title: 'Waiting for', isNumber: true, cell: ({ queuedGpus }) => numberText(queuedGpus) },
        { title: 'Balance', cell: balanceText },
      ]}
    />
  )
}

function overOf({ heldGpus, guaranteedGpus }: QueueView): number {
  return heldGpus - guaranteedGpus
}

function balanceText(queue: QueueView) {
  const over = overOf(queue)
  if (over > 0) return <span class="badge info">borrows {countText(over, 'GPU')}</span>
  if (over < 0 && queue.queuedGpus > 0) {
    return <span class="badge warn">owed {countText(Math.min(-over, queue.queuedGpus), 'GPU')}</span>
  }
  if (over < 0) return <span class="badge good">lends {countText(-over, 'GPU')}</span>
  return <span class="muted">even</span>
}
