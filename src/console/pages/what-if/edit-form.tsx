import { useState } from 'preact/hooks'
import { PRIORITY_CLASSES } from '../../../model/policy.ts'
import { useAnswer } from '../../core/answer.ts'
import { useSignedIn } from '../../core/session.ts'
import { type Edit, editOf, KINDS, type Kind } from './edit.ts'

interface EditFormProps {
  readonly kinds: readonly Kind[]
  readonly onAdd: (edit: Edit) => void
}

/** One change more. */
export function EditForm({ kinds, onAdd }: EditFormProps) {
  const [kind, setKind] = useState<Kind>(kinds[0] ?? 'stop')
  const [subject, setSubject] = useState<string>(KINDS[kind].first)
  const [priority, setPriority] = useState<string>('high')
  const [gpus, setGpus] = useState('64')
  const known = useKnown(kind)
  return (
    <form
      class="row ends"
      onSubmit={(event) => {
        event.preventDefault()
        onAdd(editOf(kind, subject.trim(), priority, gpus))
      }}
    >
      <label>
        Change
        <select
          value={kind}
          onChange={(event) => {
            const next = event.currentTarget.value as Kind
            setKind(next)
            setSubject(KINDS[next].first)
          }}
        >
          {kinds.map((each) => (
            <option key={each} value={each}>
              {KINDS[each].name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {KINDS[kind].ask}
        <input
          required
          inputMode={kind === 'add-nodes' ? 'numeric' : 'text'}
          pattern={kind === 'add-nodes' ? '[1-9][0-9]*' : undefined}
          list={known.length > 0 ? 'what-if-known' : undefined}
          autocomplete="off"
          value={subject}
          onInput={(event) => setSubject(event.currentTarget.value)}
        />
        <datalist id="what-if-known">
          {known.map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </datalist>
      </label>
      {kind === 'raise' && (
        <label>
          Priority
          <select value={priority} onChange={(event) => setPriority(event.currentTarget.value)}>
            {PRIORITY_CLASSES.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      )}
      {kind === 'guarantee' && (
        <label>
          Guaranteed GPUs
          <input
            type="number"
            min="0"
            required
            value={gpus}
            onInput={(event) => setGpus(event.currentTarget.value)}
          />
        </label>
      )}
      <button type="submit">Add the change</button>
    </form>
  )
}

/** What can be named, as far as the reader may see it: ids with what they are. */
function useKnown(kind: Kind): readonly (readonly [string, string])[] {
  const { client } = useSignedIn()
  const isOfWork = kind === 'stop' || kind === 'raise'
  const waiting = useAnswer('waiting', (signal) => client.listWaiting({}, { signal }), { when: isOfWork })
  const queues = useAnswer('queues', (signal) => client.listQueues({}, { signal }), {
    when: kind === 'guarantee',
  })
  if (isOfWork) return waiting.data?.items.map(({ workload, name }) => [workload, name] as const) ?? []
  return kind === 'guarantee' ? (queues.data?.items.map(({ id }) => [id, ''] as const) ?? []) : []
}
