import { useState } from 'preact/hooks'
import type { PolicyView } from '../../../api/wire/policy.ts'
import type { Impact } from '../../../api/wire/what-if.ts'
import { formatDuration, parseDuration } from '../../../base/units.ts'
import { ORDERINGS } from '../../../model/policy.ts'
import { useAnswer } from '../../core/answer.ts'
import { useSignedIn } from '../../core/session.ts'
import { durationText } from '../../core/spec-text.ts'
import { useTask } from '../../core/task.ts'
import { ImpactView } from '../../parts/impact.tsx'
import { Answered, ErrorNote } from '../../parts/notes.tsx'

type Key = keyof PolicyView

/** The settings that people change, in their own words; the command line has the rest. */
const NAMES: Partial<Record<Key, string>> = {
  ordering: 'Order of the queue',
  backfill: 'Backfill behind what is held',
  holdDepth: 'Gangs that are held for',
  consolidate: 'Move work to make domains whole',
  reclaim: 'Take back what is guaranteed',
  preempt: 'Preempt by priority',
  reclaimGraceMs: 'Grace before a guarantee is taken back',
  minimumRunMs: 'Run time that is protected',
  evictionGraceMs: 'Time to save before an eviction',
  usageHalfLifeMs: 'Half-life of past use',
  entryPenaltyMs: 'Use that a start is charged ahead',
}
const CHOICES: Partial<Record<Key, readonly string[]>> = {
  ordering: ORDERINGS,
  backfill: ['strict', 'holds', 'greedy'],
}

/** The scheduler's policy; operators change it, after they have seen what that would do. */
export function PolicyCard({ isOperator }: { readonly isOperator: boolean }) {
  const { client } = useSignedIn()
  const answer = useAnswer('policy', (signal) => client.getPolicy({}, { signal }))
  return (
    <section class="card" aria-label="Policy">
      <header>
        <h2>Policy</h2>
      </header>
      <div class="card-body stack">
        <Answered answer={answer} what="the policy">
          {(policy) =>
            isOperator ? (
              <Editor key={JSON.stringify(policy)} policy={policy} again={answer.again} />
            ) : (
              <Settings policy={policy} />
            )
          }
        </Answered>
      </div>
    </section>
  )
}

function Settings({ policy }: { readonly policy: PolicyView }) {
  return (
    <dl class="pairs">
      {(Object.keys(NAMES) as Key[]).map((key) => (
        <>
          <dt>{NAMES[key]}</dt>
          <dd>{shown(key, policy[key])}</dd>
        </>
      ))}
    </dl>
  )
}

function shown(key: Key, value: PolicyView[Key]): string {
  if (key.endsWith('Ms')) return formatDuration(Number(value))
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return String(value)
}

interface EditorProps {
  readonly policy: PolicyView
  readonly again: () => void
}

function Editor({ policy, again }: EditorProps) {
  const { client } = useSignedIn()
  const [changes, setChanges] = useState<Readonly<Record<string, unknown>>>({})
  const preview = useTask<Impact>()
  const saving = useTask<PolicyView>()
  const isChanged = Object.keys(changes).length > 0
  const set = (key: Key, value: unknown) => {
    const { [key]: _before, ...others } = changes
    setChanges(value === policy[key] ? others : { ...others, [key]: value })
    preview.clear()
  }
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault()
        saving.run(async () => {
          const changed = await client.setPolicy(changes)
          again()
          return changed
        })
      }}
    >
      <div class="form">
        {(Object.keys(NAMES) as Key[]).map((key) => (
          <Setting
            key={key}
            name={key}
            value={changes[key] ?? policy[key]}
            onChange={(value) => set(key, value)}
          />
        ))}
      </div>
      <div class="row">
        <button
          type="button"
          disabled={!isChanged || preview.isBusy}
          onClick={() => preview.run(() => client.previewPolicy(changes))}
        >
          {preview.isBusy ? 'Trying …' : 'Try it first'}
        </button>
        <button type="submit" class="primary" disabled={!isChanged || saving.isBusy}>
          Change the policy
        </button>
      </div>
      {saving.error && <ErrorNote error={saving.error} />}
      {preview.error && <ErrorNote error={preview.error} />}
      {preview.result && <ImpactView impact={preview.result} />}
    </form>
  )
}

interface SettingProps {
  readonly name: Key
  readonly value: unknown
  readonly onChange: (value: unknown) => void
}

function Setting({ name, value, onChange }: SettingProps) {
  const [fault, setFault] = useState<string>()
  const choices = CHOICES[name]
  if (typeof value === 'boolean') {
    return (
      <label class="check">
        <input type="checkbox" checked={value} onChange={(event) => onChange(event.currentTarget.checked)} />
        {NAMES[name]}
      </label>
    )
  }
  if (choices) {
    return (
      <label>
        {NAMES[name]}
        <select value={String(value)} onChange={(event) => onChange(event.currentTarget.value)}>
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      </label>
    )
  }
  const isSpan = name.endsWith('Ms')
  return (
    <label>
      {NAMES[name]}
      <input
        value={isSpan ? durationText(Number(value)) : String(value)}
        aria-invalid={fault !== undefined}
        onChange={(event) => {
          const text = event.currentTarget.value
          const span = isSpan ? parseDuration(text) : undefined
          setFault(span?.ok === false ? span.error : undefined)
          if (span?.ok) onChange(span.value)
          else if (!isSpan) onChange(Number(text))
        }}
      />
      {fault && <span class="hint">{fault}</span>}
    </label>
  )
}
