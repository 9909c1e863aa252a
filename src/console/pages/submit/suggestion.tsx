import type { Submitted } from '../../../api/wire/workload.ts'
import { formatDuration } from '../../../base/units.ts'
import { countText, dollarsText, numberText, percentText } from '../../core/values.ts'
import { Fact } from '../../parts/facts.tsx'
import { Link } from '../../parts/link.tsx'
import { Answered } from '../../parts/notes.tsx'
import { Start } from './dry-run.tsx'
import { declaredSize, withoutSize, withSize } from './suggested-size.ts'
import { useDryRun } from './use-dry-run.ts'

interface Props {
  readonly text: string
  readonly team: string
  readonly isValid: boolean
  readonly onApply: (text: string) => void
}

/** The size and the strategy that the planner would give a declared run, with what they lead to; one click takes them over. */
export function Suggestion({ text, team, isValid, onApply }: Props) {
  const size = isValid ? declaredSize(text) : undefined
  const { answer, isOld } = useDryRun({ text: size && withoutSize(text), team })
  if (!isValid) return null
  return (
    <section class="card" aria-label="Planner">
      <header>
        <h2>The planner suggests</h2>
      </header>
      <div class="card-body stack" data-old={size !== undefined && isOld}>
        {size === undefined ? (
          <p class="muted">
            Name the model that the run trains, and its tokens, and the planner suggests a size and how to
            spread it. <Link to="/plan">Plan without submitting</Link>
          </p>
        ) : (
          <Answered answer={answer} what="the suggestion">
            {(data) => <Suggested data={data} text={text} onApply={onApply} />}
          </Answered>
        )}
      </div>
    </section>
  )
}

interface SuggestedProps {
  readonly data: Submitted
  readonly text: string
  readonly onApply: (text: string) => void
}

function Suggested({ data: { specs, outlook }, text, onApply }: SuggestedProps) {
  const [spec] = specs
  const [start] = outlook
  if (spec?.type !== 'train' || !spec.planned) return <p class="muted">It has no suggestion for this spec.</p>
  const { planned, resources } = spec
  const { shape } = resources
  const applied = withSize(text, spec)
  return (
    <>
      <dl class="facts">
        <Fact title="Size">
          {shape.kind === 'nodes' ? countText(shape.nodes, 'node') : countText(planned.gpus, 'GPU')}{' '}
          <span class="muted">
            {numberText(planned.gpus)} × {planned.gpu}
          </span>
        </Fact>
        <Fact title="Takes">
          {formatDuration(planned.wallMs)} <span class="muted">± {percentText(planned.relativeError)}</span>
        </Fact>
        <Fact title="Costs" source="GPU-hours at list price">
          {dollarsText(planned.dollars)}
        </Fact>
        <Fact title="Step">
          {formatDuration(planned.stepMs)} <span class="muted">× {numberText(planned.steps)}</span>
        </Fact>
      </dl>
      <p>
        <b>Spread:</b> {planned.strategy}.
      </p>
      <p class="muted">It is {planned.why}.</p>
      {start && <Start outlook={start} />}
      <div class="row">
        {applied === text ? (
          <span class="badge good">taken over</span>
        ) : (
          <button type="button" onClick={() => onApply(applied)}>
            Use this size
          </button>
        )}
      </div>
    </>
  )
}
