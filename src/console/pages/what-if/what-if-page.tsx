import { useMemo, useState } from 'preact/hooks'
import { useAnswer } from '../../core/answer.ts'
import { useParam } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { Icon } from '../../parts/icon.tsx'
import { ImpactView } from '../../parts/impact.tsx'
import { Empty, ErrorNote } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { type Edit, editsOf, KINDS, type Kind, textOf } from './edit.ts'
import { EditForm } from './edit-form.tsx'

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
