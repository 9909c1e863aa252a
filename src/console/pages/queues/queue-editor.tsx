import { useState } from 'preact/hooks'
import type { QueueView } from '../../../api/wire/queue.ts'
import type { Impact } from '../../../api/wire/what-if.ts'
import { setParams } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { useTask } from '../../core/task.ts'
import { Icon } from '../../parts/icon.tsx'
import { ImpactView } from '../../parts/impact.tsx'
import { ErrorNote } from '../../parts/notes.tsx'

interface Props {
  readonly queue: QueueView
  readonly again: () => void
}

/** Changes a queue, with who would start earlier, later or be moved told before. */
export function QueueEditor({ queue, again }: Props) {
  const { client } = useSignedIn()
  const [guaranteed, setGuaranteed] = useState(`${queue.guaranteedGpus}`)
  const [limit, setLimit] = useState(`${queue.limitGpus ?? ''}`)
  const [perUser, setPerUser] = useState(`${queue.limitGpusPerUser ?? ''}`)
  const [weight, setWeight] = useState(`${queue.weight}`)
  const [lendable, setLendable] = useState(queue.lendable)
  const preview = useTask<Impact>()
  const saving = useTask<QueueView>()
  const settings = {
    guaranteedGpus: Number(guaranteed),
    limitGpus: limit === '' ? null : Number(limit),
    limitGpusPerUser: perUser === '' ? null : Number(perUser),
    weight: Number(weight),
    lendable,
  }
  const numbers = [
    ['Guaranteed GPUs', guaranteed, setGuaranteed, 'theirs whenever they want them'],
    ['Limit of GPUs', limit, setLimit, 'empty for none'],
    ['Limit for each user', perUser, setPerUser, 'empty for none'],
    ['Weight', weight, setWeight, 'share of what nobody is guaranteed'],
  ] as const
  return (
    <section class="card" aria-label={`Queue ${queue.id}`}>
      <header>
        <h2>{queue.id}</h2>
        <button
          type="button"
          class="plain"
          aria-label="Close"
          onClick={() => setParams({ queue: undefined })}
        >
          <Icon name="close" />
        </button>
      </header>
      <form
        class="card-body stack"
        onSubmit={(event) => {
          event.preventDefault()
          saving.run(async () => {
            const changed = await client.setQueue({ id: queue.id, ...settings })
            again()
            return changed
          })
        }}
      >
        <div class="form">
          {numbers.map(([name, value, set, hint]) => (
            <label key={name}>
              {name}
              <input
                type="number"
                min="0"
                step="any"
                value={value}
                onInput={(event) => set(event.currentTarget.value)}
              />
              <span class="hint">{hint}</span>
            </label>
          ))}
          <label class="check">
            <input
              type="checkbox"
              checked={lendable}
              onChange={(event) => setLendable(event.currentTarget.checked)}
            />
            Lends what it does not use
          </label>
        </div>
        <div class="row">
          <button
            type="button"
            disabled={preview.isBusy}
            onClick={() =>
              preview.run(() =>
                client.askWhatIf({ edits: [{ kind: 'set-queue', queue: queue.id, settings }] }),
              )
            }
          >
            {preview.isBusy ? 'Trying …' : 'Try it first'}
          </button>
          <button type="submit" class="primary" disabled={saving.isBusy}>
            Change the queue
          </button>
          {saving.result && <span class="badge good">changed</span>}
        </div>
        {saving.error && <ErrorNote error={saving.error} />}
        {preview.error && <ErrorNote error={preview.error} />}
        {preview.result && <ImpactView impact={preview.result} />}
      </form>
    </section>
  )
}
