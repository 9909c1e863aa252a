import { useState } from 'preact/hooks'
import type { MachineView } from '../../../api/wire/machine.ts'
import type { ReservationView } from '../../../api/wire/reservation.ts'
import type { Impact } from '../../../api/wire/what-if.ts'
import { useAnswer } from '../../core/answer.ts'
import { setParams } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { useTask } from '../../core/task.ts'
import { ImpactView } from '../../parts/impact.tsx'
import { ErrorNote } from '../../parts/notes.tsx'
import { type Settings, settingsOf, type Wanted } from './wanted.ts'

const FIRST: Wanted = {
  id: '',
  kind: 'reserved',
  where: 'count',
  count: '4',
  domain: '',
  nodes: '',
  from: '',
  length: '4h',
  owners: '',
  reason: '',
}

interface Props {
  readonly machine: MachineView
  readonly onMade: () => void
}

/** Keeps nodes for somebody, or for nobody; whom that delays is told before. */
export function ReserveForm({ machine, onMade }: Props) {
  const { client } = useSignedIn()
  const [wanted, setWanted] = useState(FIRST)
  const preview = useTask<Impact>()
  const making = useTask<ReservationView>()
  const queues = useAnswer('queues', (signal) => client.listQueues({}, { signal }))
  const settings = settingsOf(wanted)
  const change = (changes: Partial<Wanted>) => {
    setWanted({ ...wanted, ...changes })
    preview.clear()
    making.clear()
  }
  const input = (name: keyof Wanted, label: string, hint: string, more: object = {}) => (
    <label>
      {label}
      <input
        value={wanted[name]}
        onInput={(event) => change({ [name]: event.currentTarget.value })}
        {...more}
      />
      <span class="hint">{hint}</span>
    </label>
  )
  const isMaintenance = wanted.kind === 'maintenance'
  const domains = (
    <label>
      {wanted.where === 'domain' ? 'Domain' : 'Inside'}
      <select
        required={wanted.where === 'domain'}
        value={wanted.domain}
        onChange={(event) => change({ domain: event.currentTarget.value })}
      >
        <option value="">{wanted.where === 'domain' ? 'choose one' : 'the whole machine'}</option>
        {pathsOf(machine).map((path) => (
          <option key={path} value={path}>
            {path.replaceAll('/', ' / ')}
          </option>
        ))}
      </select>
    </label>
  )
  const run = (work: (ready: Settings) => void) => {
    if (typeof settings !== 'string') work(settings)
  }
  return (
    <section class="card" aria-label="Reserve">
      <header>
        <h2>Reserve</h2>
      </header>
      <form
        class="card-body stack"
        onSubmit={(event) => {
          event.preventDefault()
          const isTrial = event.submitter?.getAttribute('value') === 'try'
          run((reservation) =>
            isTrial
              ? preview.run(() => client.askWhatIf({ edits: [{ kind: 'reserve', reservation }] }))
              : making.run(async () => {
                  const made = await client.makeReservation(reservation)
                  onMade()
                  setParams({ reservation: made.id })
                  return made
                }),
          )
        }}
      >
        <div class="form">
          {input('id', 'Name', 'a-z, 0-9, “.”, “_” and “-”', { required: true })}
          <label>
            Kind
            <select
              value={wanted.kind}
              onChange={(event) => change({ kind: event.currentTarget.value as Wanted['kind'] })}
            >
              <option value="reserved">for somebody’s work</option>
              <option value="maintenance">maintenance: nobody’s work</option>
            </select>
          </label>
          {!isMaintenance && (
            <>
              {input('owners', 'Owners', 'queues, or users as @name, with commas', {
                required: true,
                list: 'reserve-owners',
              })}
              <datalist id="reserve-owners">
                {queues.data?.items.map(({ id }) => (
                  <option key={id} value={id} />
                ))}
              </datalist>
            </>
          )}
          <label>
            Which
            <select
              value={wanted.where}
              onChange={(event) => change({ where: event.currentTarget.value as Wanted['where'] })}
            >
              <option value="count">so many nodes</option>
              <option value="domain">all of a domain</option>
              <option value="nodes">these nodes</option>
            </select>
          </label>
          {wanted.where === 'count' &&
            input('count', 'Nodes', 'chosen where they are free soonest', {
              type: 'number',
              min: 1,
              required: true,
            })}
          {wanted.where === 'nodes'
            ? input('nodes', 'Their ids', 'with commas', { required: true })
            : domains}
          {input('from', 'From', 'in your zone; now when empty', { type: 'datetime-local' })}
          {input('length', 'For how long', typeof settings === 'string' ? settings : 'such as 90m, 4h, 2d', {
            required: true,
            'aria-invalid': typeof settings === 'string',
          })}
          {input('reason', 'Reason', isMaintenance ? 'everybody reads it' : 'the owners read it', {
            required: true,
          })}
        </div>
        <div class="row">
          <button type="submit" value="try" disabled={preview.isBusy}>
            {preview.isBusy ? 'Trying …' : 'Try it first'}
          </button>
          <button type="submit" value="make" class="primary" disabled={making.isBusy}>
            Reserve
          </button>
          {making.result && <span class="badge good">{making.result.id} is reserved</span>}
        </div>
        {making.error && <ErrorNote error={making.error} />}
        {preview.error && <ErrorNote error={preview.error} />}
        {preview.result && <ImpactView impact={preview.result} />}
      </form>
    </section>
  )
}

/** Every domain of the machine by its path, a domain before those in it. */
function pathsOf({ domains }: MachineView): string[] {
  return [...new Set(domains.flatMap((path) => path.map((_, depth) => path.slice(0, depth + 1).join('/'))))]
}
