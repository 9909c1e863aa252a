import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { stringify } from 'yaml'
import type { WorkloadView } from '../../../api/wire/workload.ts'
import { mayChange } from '../../../model/rights.ts'
import { parseSpec } from '../../../model/spec/parse-spec.ts'
import type { SpecProblem } from '../../../model/spec/problem.ts'
import { useAnswer } from '../../core/answer.ts'
import { go, usePlace } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { writtenSpec } from '../../core/spec-text.ts'
import { ErrorNote, Loading } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { whatIfPath } from '../what-if/edit.ts'
import { DryRun } from './dry-run.tsx'
import { SpecForm } from './spec-form.tsx'
import { declaredSize } from './suggested-size.ts'
import { Suggestion } from './suggestion.tsx'
import { useDryRun } from './use-dry-run.ts'

const DRAFT = 'banyan.draft'
const FIRST = `type: train
name: my-run
gpus: 8
run: python train.py
workdir: /home/me/my-run
time: {expected: 2h, limit: 8h}
checkpoint: {path: checkpoints, every: 15m}
`

/** Writes a spec, as a form and as YAML, with what submitting it would lead to beside it. */
export function SubmitPage() {
  const { params } = usePlace()
  const from = params.get('from')
  const given = params.get('spec')
  const { client } = useSignedIn()
  const source = useAnswer(
    `workload/${from}`,
    (signal) => client.getWorkload({ id: from ?? '' }, { signal }),
    {
      when: from !== null,
    },
  )
  if (given !== null) return <Editor key={given} first={given} />
  if (from === null) return <Editor first={window.sessionStorage.getItem(DRAFT) ?? FIRST} />
  if (source.data)
    return (
      <Editor
        key={from}
        first={stringify(writtenSpec(source.data.spec))}
        team={source.data.owner.team}
        source={source.data}
      />
    )
  return source.error ? <ErrorNote error={source.error} again={source.again} /> : <Loading what="the spec" />
}

interface EditorProps {
  readonly first: string
  readonly team?: string
  /** The workload that the spec is from; what is submitted may take its place. */
  readonly source?: WorkloadView
}

function Editor({ first, team: firstTeam, source }: EditorProps) {
  const { client, who } = useSignedIn()
  const [text, setText] = useState(first)
  const [team, setTeam] = useState(firstTeam ?? who.user.teams[0] ?? '')
  const [error, setError] = useState<Error>()
  const [isBusy, setBusy] = useState(false)
  const canReplace = source?.actions.includes('stop') === true && mayChange(who.user, source.owner)
  const [isInPlace, setInPlace] = useState(source?.state === 'queued')
  const area = useRef<HTMLTextAreaElement>(null)
  useEffect(() => window.sessionStorage.setItem(DRAFT, text), [text])
  const problems = useMemo(() => problemsOf(text), [text])
  const isValid = problems.length === 0
  const { answer, isOld } = useDryRun({ text: isValid ? text : undefined, team, everyMs: 10_000 })
  const teams = useAnswer('teams', (signal) => client.listTeams({}, { signal }))
  const choices = new Set([...who.user.teams, ...(teams.data?.items.map(({ id }) => id) ?? []), team])
  const submit = async () => {
    setBusy(true)
    setError(undefined)
    try {
      const { workloads } = await client.submitWorkload({ spec: text, ...(team === '' ? {} : { team }) })
      const [made] = workloads
      if (canReplace && isInPlace) await client.stopWorkload({ id: source.id })
      go(
        workloads.length === 1 && made
          ? `/workloads/${encodeURIComponent(made.id)}`
          : '/workloads?whose=mine',
      )
    } catch (failure) {
      setError(failure as Error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <div class="stack">
      <PageHead
        title="Submit"
        lead="The form and the text are the same spec; every field stands in docs/spec.md."
      >
        <label class="inline">
          Charge to
          <select value={team} onChange={(event) => setTeam(event.currentTarget.value)}>
            {[...choices].map((each) => (
              <option key={each} value={each}>
                {each || 'the spec’s team, or my first'}
              </option>
            ))}
          </select>
        </label>
        {canReplace && (
          <label class="check">
            <input
              type="checkbox"
              checked={isInPlace}
              onChange={(event) => setInPlace(event.currentTarget.checked)}
            />
            in place of {source.id}, which is {source.state === 'queued' ? 'cancelled' : 'stopped'}
          </label>
        )}
        <button type="button" class="primary" disabled={isBusy || !isValid} onClick={() => void submit()}>
          Submit
        </button>
      </PageHead>
      {error && <ErrorNote error={error} />}
      <div class="columns submit">
        <section class="card" aria-label="Form">
          <div class="card-body">
            <SpecForm text={text} onChange={setText} />
          </div>
        </section>
        <section class="card" aria-label="Text">
          <div class="card-body stack">
            <label>
              YAML
              <textarea
                ref={area}
                class="mono spec-text"
                spellcheck={false}
                rows={Math.max(16, text.split('\n').length + 1)}
                value={text}
                aria-invalid={!isValid}
                onInput={(event) => setText(event.currentTarget.value)}
              />
            </label>
            <Problems problems={problems} onGo={(line) => putCaret(area.current, line)} />
          </div>
        </section>
        <div class="stack">
          <DryRun
            answer={answer}
            isOld={isOld}
            isValid={isValid}
            toOthers={whatIfPath([{ kind: 'submit', spec: text, ...(team === '' ? {} : { team }) }])}
          />
          <Suggestion text={text} team={team} isValid={isValid} onApply={setText} />
        </div>
      </div>
    </div>
  )
}

/**
 * What is wrong by the spec's own rules; what the cluster has against it is for the dry run to say, as it is to size what is
 * left to the planner.
 */
function problemsOf(text: string): readonly SpecProblem[] {
  const set = declaredSize(text) === 'auto' ? { gpus: '1' } : {}
  const parsed = parseSpec(text, { file: 'spec', set })
  return parsed.ok ? [] : parsed.error
}

interface ProblemsProps {
  readonly problems: readonly SpecProblem[]
  readonly onGo: (line: number) => void
}

function Problems({ problems, onGo }: ProblemsProps) {
  if (problems.length === 0) return <p class="hint">The spec is well formed.</p>
  return (
    <ul class="faults" aria-live="polite">
      {problems.map(({ line, field, message }) => (
        <li key={`${line} ${field} ${message}`}>
          <button type="button" class="plain link" onClick={() => onGo(line ?? 1)}>
            line {line ?? 1}
          </button>{' '}
          {field && <code>{field}</code>} {message}
        </li>
      ))}
    </ul>
  )
}

function putCaret(area: HTMLTextAreaElement | null, line: number): void {
  if (!area) return
  const lines = area.value.split('\n')
  const start = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0)
  area.focus()
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0))
}
