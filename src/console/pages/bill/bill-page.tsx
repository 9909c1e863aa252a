import type { UsageSummary } from '../../../api/wire/usage-summary.ts'
import { DAY_MS, HOUR_MS } from '../../../base/units.ts'
import { useAnswer } from '../../core/answer.ts'
import { serverNow } from '../../core/clock.ts'
import { csvOf, saveFile } from '../../core/export.ts'
import { useParam } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { gpuHoursText, momentText, numberText, percentText } from '../../core/values.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { Link } from '../../parts/link.tsx'
import { Answered, Empty } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { Tabs } from '../../parts/tabs.tsx'

type By = UsageSummary['by']
type Row = UsageSummary['rows'][number]

const GROUPS: Readonly<Record<By, string>> = {
  organisation: 'Organisation',
  team: 'Team',
  user: 'User',
  workload: 'Workload',
}
const PERIODS = { '1': 'Day', '7': 'Week', '30': '30 days', '90': '90 days' } as const
const MOST_ROWS = 300

/** Who used how many GPU-hours, what of it is billed, and what was lost. */
export function BillPage() {
  const { client } = useSignedIn()
  const [by, setBy] = useParam<By>('by', 'team')
  const [days, setDays] = useParam<keyof typeof PERIODS>('days', '30')
  const [price, setPrice] = useParam<string>('price', '')
  const answer = useAnswer(
    `usage/${by}/${days}`,
    (signal) => client.getUsage({ by, from: Math.round(serverNow() - Number(days) * DAY_MS) }, { signal }),
    { everyMs: 30_000 },
  )
  return (
    <div class="stack">
      <PageHead
        title="Bill"
        lead="Workloads that were submitted in this time, by what their ended attempts held. What a failure of the platform cost is not billed."
      >
        <Tabs label="By" names={GROUPS} value={by} onChange={setBy} />
        <Tabs label="Time" names={PERIODS} value={days} onChange={setDays} />
        <label class="inline">
          Price of a GPU-hour
          <input
            class="price"
            type="number"
            min="0"
            step="any"
            placeholder="none"
            value={price}
            onInput={(event) => setPrice(event.currentTarget.value)}
          />
        </label>
      </PageHead>
      <Answered answer={answer} what="the bill">
        {(usage) =>
          usage.rows.length === 0 ? (
            <Empty title="Nobody used anything in this time" />
          ) : (
            <Bill usage={usage} price={price === '' ? undefined : Number(price)} />
          )
        }
      </Answered>
    </div>
  )
}

function Bill({ usage, price }: { readonly usage: UsageSummary; readonly price: number | undefined }) {
  const { rows, total, by, from, to } = usage
  const money = (gpuMs: number) => numberText(Math.round((gpuMs / HOUR_MS) * (price ?? 0) * 100) / 100)
  const most = Math.max(1, ...rows.map((row) => row.usage.held))
  const facts = [
    ['Held', gpuHoursText(total.held), 'GPU-hours'],
    ['Billed', gpuHoursText(total.billed), 'GPU-hours'],
    [
      'Lost',
      gpuHoursText(total.lost),
      `GPU-hours, ${percentText(total.held === 0 ? 0 : total.lost / total.held)}`,
    ],
    ...(price === undefined ? [] : [['To pay', money(total.billed), 'of your currency']]),
  ]
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
      <DataTable
        caption={`Use from ${momentText(from)} to ${momentText(to)}`}
        rows={rows.slice(0, MOST_ROWS)}
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
            title: 'Workloads',
            isNumber: true,
            isExtra: true,
            cell: ({ workloads }) => numberText(workloads),
          },
          {
            title: 'Held, and lost of it',
            isExtra: true,
            cell: ({ usage: { held, lost } }) => (
              <div class="bar" title={`${gpuHoursText(held)} held, ${gpuHoursText(lost)} lost`}>
                <span style={{ width: `${(held / most) * 100}%` }} />
                <span class="lost" style={{ width: `${(lost / most) * 100}%` }} />
              </div>
            ),
          },
          { title: 'Held', isNumber: true, cell: (row) => gpuHoursText(row.usage.held) },
          { title: 'Billed', isNumber: true, cell: (row) => gpuHoursText(row.usage.billed) },
          { title: 'Lost', isNumber: true, cell: (row) => gpuHoursText(row.usage.lost) },
          ...(price === undefined
            ? []
            : [{ title: 'To pay', isNumber: true, cell: (row: Row) => money(row.usage.billed) }]),
        ]}
      />
      {rows.length > MOST_ROWS && (
        <p class="muted">and {numberText(rows.length - MOST_ROWS)} more, all in the file</p>
      )}
      <div class="row">
        <button
          type="button"
          onClick={() =>
            saveFile(
              `usage-by-${by}.csv`,
              csvOf(
                ['key', 'name', 'workloads', 'heldGpuHours', 'billedGpuHours', 'lostGpuHours'],
                rows.map(({ key, name = '', workloads, usage: { held, billed, lost } }) => [
                  key,
                  name,
                  workloads,
                  ...[held, billed, lost].map((gpuMs) => gpuMs / HOUR_MS),
                ]),
              ),
            )
          }
        >
          Export as CSV
        </button>
      </div>
    </>
  )
}
