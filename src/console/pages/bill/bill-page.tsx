import type { Bill } from '../../../api/wire/bill.ts'
import { DAY_MS } from '../../../base/units.ts'
import { useAnswer } from '../../core/answer.ts'
import { serverNow } from '../../core/clock.ts'
import { saveFile } from '../../core/export.ts'
import { useParam } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { gpuHoursText, momentText, numberText, percentText } from '../../core/values.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { ExportButton } from '../../parts/export-button.tsx'
import { Link } from '../../parts/link.tsx'
import { Answered, Empty } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { Tabs } from '../../parts/tabs.tsx'
import { WastePlot } from './waste-plot.tsx'

type By = Bill['by']
type Line = Bill['rows'][number]

const GROUPS: Readonly<Record<By, string>> = {
  organisation: 'Organisation',
  team: 'Team',
  user: 'User',
  workload: 'Workload',
}
const PERIODS = { '1': 'Day', '7': 'Week', '30': '30 days', '90': '90 days' } as const
const MOST_ROWS = 300

/** Who used how many GPU-hours, what of it is billed, what it costs, and what was wasted on what. */
export function BillPage() {
  const { client } = useSignedIn()
  const [by, setBy] = useParam<By>('by', 'team')
  const [days, setDays] = useParam<keyof typeof PERIODS>('days', '30')
  const period = () => ({ by, from: Math.max(0, Math.round(serverNow() - Number(days) * DAY_MS)) })
  const answer = useAnswer(
    `bill/${by}/${days}`,
    (signal) => client.getBill({ ...period(), limit: MOST_ROWS }, { signal }),
    { everyMs: 30_000 },
  )
  return (
    <div class="stack">
      <PageHead
        title="Bill"
        lead="GPU time that was held in this period. What platform failures and other work cost is not billed, nor is starting again after that."
      >
        <Tabs label="By" names={GROUPS} value={by} onChange={setBy} />
        <Tabs label="Time" names={PERIODS} value={days} onChange={setDays} />
        <ExportButton
          name="Export as CSV"
          save={async () => saveFile(`bill-by-${by}.csv`, await client.exportBill(period()))}
        />
      </PageHead>
      <Answered answer={answer} what="the bill">
        {(bill) =>
          bill.rows.length === 0 ? (
            <Empty title="Nobody used anything in this time">
              <p>A longer period may have something.</p>
            </Empty>
          ) : (
            <Shown bill={bill} />
          )
        }
      </Answered>
    </div>
  )
}

function Shown({ bill }: { readonly bill: Bill }) {
  const { total, currency, models } = bill
  const share = (gpuMs: number) => percentText(total.held === 0 ? 0 : gpuMs / total.held)
  const facts = [
    ...(currency === undefined ? [] : [['To pay', moneyText(total.amount), currency]]),
    ['Held', gpuHoursText(total.held), 'GPU-hours'],
    ['Billed', gpuHoursText(total.billed), 'GPU-hours'],
    ['Not billed', gpuHoursText(total.notBilled), `GPU-hours, ${share(total.notBilled)}`],
    ['Not ended', gpuHoursText(total.open), 'GPU-hours'],
  ]
  const unpriced = models.filter(({ isPriced, billed }) => !isPriced && billed > 0)
  return (
    <>
      <dl class="facts">
        {facts.map(([name, value, unit]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {value} <span class="muted">{unit}</span>
            </dd>
          </div>
        ))}
      </dl>
      {currency === undefined ? (
        <p class="hint">
          The cluster has no prices. An operator sets them:{' '}
          <code>banyan bill prices set H100=2.50 --currency EUR</code>
        </p>
      ) : (
        unpriced.length > 0 && (
          <p class="stale">
            Without a price, all or some of the time: {unpriced.map(({ gpuModel }) => gpuModel).join(', ')}
          </p>
        )
      )}
      <WastePlot byCause={total.byCause} />
      <Lines bill={bill} />
    </>
  )
}

function Lines({ bill }: { readonly bill: Bill }) {
  const { rows, by, from, to, currency, otherCount, others } = bill
  const most = Math.max(1, ...rows.map(({ held }) => held))
  return (
    <>
      <DataTable
        caption={`Bill from ${momentText(from)} to ${momentText(to)}`}
        rows={rows}
        keyOf={({ key }) => key}
        columns={[
          {
            title: GROUPS[by],
            cell: ({ key, name }) =>
              by === 'workload' ? (
                <>
                  <Link to={`/workloads/${encodeURIComponent(key)}`}>{key}</Link> {name}
                </>
              ) : (
                key
              ),
          },
          {
            title: 'Held, and of it not billed',
            isExtra: true,
            cell: ({ held, notBilled }) => (
              <div class="bar" title={`${gpuHoursText(held)} held, ${gpuHoursText(notBilled)} not billed`}>
                <span style={{ width: `${(held / most) * 100}%` }} />
                <span class="lost" style={{ width: `${(notBilled / most) * 100}%` }} />
              </div>
            ),
          },
          { title: 'Held', isNumber: true, cell: ({ held }) => gpuHoursText(held) },
          { title: 'Billed', isNumber: true, cell: ({ billed }) => gpuHoursText(billed) },
          {
            title: 'Not billed',
            isNumber: true,
            isExtra: true,
            cell: (line) => gpuHoursText(line.notBilled),
          },
          {
            title: 'Waited for',
            isNumber: true,
            isExtra: true,
            cell: ({ byCause }) => gpuHoursText(byCause.queue),
          },
          ...(currency === undefined
            ? []
            : [{ title: currency, isNumber: true, cell: ({ amount }: Line) => moneyText(amount) }]),
        ]}
      />
      {otherCount > 0 && (
        <p class="muted">
          and {numberText(otherCount)} more with {gpuHoursText(others.held)} GPU-hours together, all in the
          file
        </p>
      )}
    </>
  )
}

const MONEY = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })

function moneyText(amount: number): string {
  return MONEY.format(amount)
}
