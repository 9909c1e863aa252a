import { useState } from 'preact/hooks'
import type { ShareHistoryView } from '../../../api/wire/share-history.ts'
import { DAY_MS, formatDuration, HOUR_MS } from '../../../base/units.ts'
import { useAnswer } from '../../core/answer.ts'
import { serverNow } from '../../core/clock.ts'
import { useParam } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { countText, numberText } from '../../core/values.ts'
import { LinePlot } from '../../parts/line-plot.tsx'
import { Answered, Empty } from '../../parts/notes.tsx'
import { Tabs } from '../../parts/tabs.tsx'

const SPANS = { '6h': '6 hours', '24h': '24 hours', '7d': '7 days' } as const
const SPAN_MS = { '6h': 6 * HOUR_MS, '24h': DAY_MS, '7d': 7 * DAY_MS } as const

/** What the largest queues held over time, each against what it is guaranteed. */
export function ShareHistory() {
  const { client } = useSignedIn()
  const [span, setSpan] = useParam<keyof typeof SPANS>('span', '24h')
  const answer = useAnswer(
    `shares/${span}`,
    (signal) =>
      client.getShareHistory({ from: Math.max(0, Math.round(serverNow()) - SPAN_MS[span]) }, { signal }),
    {
      everyMs: 60_000,
    },
  )
  return (
    <section class="stack" aria-label="Shares over time">
      <header class="row">
        <h2>Shares over time</h2>
        <Tabs label="Time" names={SPANS} value={span} onChange={setSpan} />
      </header>
      <Answered answer={answer} what="the shares">
        {(history) => <Shares history={history} />}
      </Answered>
    </section>
  )
}

const SHOWN = 6

function Shares({ history }: { readonly history: ShareHistoryView }) {
  const [isAll, setAll] = useState(false)
  const queues = leavesOf(history.queues)
  if (queues.length === 0) return <Empty title="No queue held anything in this time" />
  return (
    <>
      <p class="muted">
        GPUs held, the mean of each {formatDuration(history.intervalMs)}; the broken line is what the queue is
        guaranteed now.
      </p>
      <div class="plots">
        {queues.slice(0, isAll ? undefined : SHOWN).map((queue) => (
          <QueuePlot key={queue.queue} queue={queue} history={history} />
        ))}
      </div>
      {!isAll && queues.length > SHOWN && (
        <button type="button" onClick={() => setAll(true)}>
          Show the {numberText(queues.length - SHOWN)} others
        </button>
      )}
    </>
  )
}

type QueueShare = ShareHistoryView['queues'][number]

function QueuePlot({ queue, history }: { readonly queue: QueueShare; readonly history: ShareHistoryView }) {
  const { from, to, intervalMs } = history
  const { heldGpus, meanGpus, guaranteedGpus } = queue
  const points = heldGpus.map((y, i) => ({
    x: (from + i * intervalMs + Math.min(to, from + (i + 1) * intervalMs)) / 2,
    y,
  }))
  return (
    <div class="card card-body">
      <LinePlot
        title={queue.queue}
        xName="ago"
        yName="GPUs"
        points={points}
        xText={(x) => formatDuration(Math.max(0, Math.round(to - x)))}
        yText={(y) => numberText(Number(y.toPrecision(3)))}
        mark={guaranteedGpus > 0 ? { y: guaranteedGpus, name: `${guaranteedGpus} guaranteed` } : undefined}
      />
      <p class="muted">
        {countText(Number(meanGpus.toPrecision(3)), 'GPU')} on average
        {guaranteedGpus > 0 && `, ${countText(guaranteedGpus, 'GPU')} guaranteed`}
      </p>
    </div>
  )
}

/** Queues in which work stands itself: an organisation's is the sum of its teams'. */
function leavesOf(queues: readonly QueueShare[]): readonly QueueShare[] {
  return queues.filter(({ queue }) => !queues.some((other) => other.queue.startsWith(`${queue}/`)))
}
