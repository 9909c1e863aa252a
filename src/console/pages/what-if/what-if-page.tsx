import { useMemo, useState } from 'preact/hooks'
import type { Client } from '../../../api/client/client.ts'
import { whatIfRequest } from '../../../api/wire/what-if.ts'
import { PRIORITY_CLASSES } from '../../../model/policy.ts'
import { useAnswer } from '../../core/answer.ts'
import { useParam } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { countText } from '../../core/values.ts'
import { Icon } from '../../parts/icon.tsx'
import { ImpactView } from '../../parts/impact.tsx'
import { Empty, ErrorNote } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'

type Edit = Parameters<Client['askWhatIf']>[0]['edits'][number]

/** What can be tried, what it takes, and who may (the server says so of everything else). */
const KINDS = {
  'add-nodes': { name: 'Add nodes', ask: 'How many', first: '32', isOperators: true },
  'remove-nodes': { name: 'Take nodes away', ask: 'Their ids, with commas', first: '', isOperators: true },
  stop: { name: 'Stop a workload', ask: 'Its id', first: '', isOperators: false },
  raise: { name: 'Change a priority', ask: 'The workload’s id', first: '', isOperators: false },
  guarantee: { name: 'Change a guarantee', ask: 'The queue’s id', first: '', isOperators: true },
} as const
type Kind = keyof typeof KINDS

/** Changes to the machine, the queues or the work, tried together on a copy of the live state; they stand in the address. */
export function WhatIfPage() {
  const { client, who } = useSignedIn()
  const [written, setWritten] = useParam<string>('edits', '[]')
  const edits = useMemo(() => editsOf(written), [written])
  const [isAsked, setAsked] = useState(edits.length > 0)
  const isOperator = who.user.role === 'operator'
  const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) => isOperator || !KINDS[kind].isOperators)
  const answer = useAnswer(`what-if/${written}`, () => client.askWhatIf({ edits: [...edits] }), {
    when: isAsked && edits.length > 0,
  })
  const isBusy = isAsked && answer.isLoading
  const change = (next: readonly Edit[]) => {
    setAsked(false)
    setWritten(JSON.stringify(next))
  }
  return (
    <div class="stack">
      <PageHead
        title="What if"
        lead="Put changes together and see who would start earlier, later, or be moved. The scheduler itself tries them on a copy; nothing is changed."
      />
      <section class="card" aria-label="Changes">
        <div class="card-body stack">
          <EditForm kinds={kinds} onAdd={(edit) => change([...edits, edit])} />
          {edits.length === 0 ? (
            <p class="muted">No change yet.</p>
          ) : (
            <ol class="edits">
              {edits.map((edit, index) => (
                <li key={JSON.stringify(edit)}>
                  {textOf(edit)}{' '}
                  <button
                    type="button"
                    class="plain"
                    aria-label={`Leave out: ${textOf(edit)}`}
                    onClick={() => change(edits.filter((_, i) => i !== index))}
                  >
                    <Icon name="close" />
                  </button>
                </li>
              ))}
            </ol>
          )}
          <div class="row">
            <button
              type="button"
              class="primary"
              disabled={edits.length === 0 || isBusy}
              onClick={() => (isAsked ? answer.again() : setAsked(true))}
            >
              {isBusy ? 'Trying …' : 'Try'}
            </button>
          </div>
        </div>
      </section>
      {isAsked && answer.error && <ErrorNote error={answer.error} />}
      {isAsked && answer.data ? (
        <ImpactView impact={answer.data} />
      ) : (
        !(isAsked && answer.error) && (
          <Empty title={isBusy ? 'The scheduler tries it …' : 'The effect will stand here'} />
        )
      )}
    </div>
  )
}

/** The edits of an address; none where it has been tampered with. */
function editsOf(written: string): readonly Edit[] {
  try {
    return whatIfRequest.shape.edits.safeParse(JSON.parse(written)).data ?? []
  } catch {
    return []
  }
}

interface EditFormProps {
  readonly kinds: readonly Kind[]
  readonly onAdd: (edit: Edit) => void
}

function EditForm({ kinds, onAdd }: EditFormProps) {
  const [kind, setKind] = useState<Kind>(kinds[0] ?? 'stop')
  const [subject, setSubject] = useState<string>(KINDS[kind].first)
  const [priority, setPriority] = useState<string>('high')
  const [gpus, setGpus] = useState('64')
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
          value={subject}
          onInput={(event) => setSubject(event.currentTarget.value)}
        />
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

function editOf(kind: Kind, subject: string, priority: string, gpus: string): Edit {
  switch (kind) {
    case 'add-nodes':
      return { kind: 'add-nodes', count: Number(subject) }
    case 'remove-nodes':
      return { kind: 'remove-nodes', nodes: subject.split(/[\s,]+/).filter(Boolean) }
    case 'stop':
      return { kind: 'stop', workload: subject }
    case 'raise':
      return {
        kind: 'set-priority',
        workload: subject,
        priority: priority as (typeof PRIORITY_CLASSES)[number],
      }
    case 'guarantee':
      return { kind: 'set-queue', queue: subject, settings: { guaranteedGpus: Number(gpus) } }
  }
}

function textOf(edit: Edit): string {
  switch (edit.kind) {
    case 'add-nodes':
      return `${countText(edit.count, 'node')} more`
    case 'remove-nodes':
      return `without ${edit.nodes.join(', ')}`
    case 'stop':
      return `${edit.workload} is stopped`
    case 'set-priority':
      return `${edit.workload} has priority ${edit.priority}`
    case 'set-queue':
      return `${edit.queue} is guaranteed ${countText(edit.settings.guaranteedGpus ?? 0, 'GPU')}`
    default:
      return edit.kind
  }
}
