import { useState } from 'preact/hooks'
import type { PlanSubjects } from '../../../api/wire/plan.ts'
import { compactText } from '../../core/values.ts'
import { type Faults, LIVE, type Written } from './question.ts'

export type Purpose = 'training' | 'serving'

interface Field {
  readonly name: string
  readonly label: string
  readonly hint?: string
}

/** What is asked first, and what most leave as it is; the address has each under its name. */
const FIELDS: Readonly<Record<Purpose, readonly Field[]>> = {
  training: [
    { name: 'tokens', label: 'Tokens', hint: 'such as 1T; 20 a parameter when empty' },
    { name: 'by', label: 'Finish by', hint: 'a date, a weekday or a span such as 30d' },
    { name: 'budget', label: 'Budget, $', hint: 'such as 2M' },
  ],
  serving: [
    { name: 'rate', label: 'Requests a second', hint: '1 when empty' },
    { name: 'input', label: 'Tokens of a request', hint: '1,000 when empty' },
    { name: 'output', label: 'Tokens of an answer', hint: '300 when empty' },
    { name: 'first', label: 'First token within', hint: 'such as 500ms' },
    { name: 'each', label: 'Each further within', hint: 'such as 40ms' },
  ],
}
const MORE: Readonly<Record<Purpose, readonly Field[]>> = {
  training: [
    { name: 'batch', label: 'Batch', hint: 'sequences of a step; about 4M tokens when empty' },
    { name: 'sequence', label: 'Sequence', hint: 'tokens; the model’s own when empty' },
    { name: 'price', label: 'Price, $', hint: 'of a GPU-hour; the list price when empty' },
    { name: 'measured', label: 'Measured step', hint: 'such as 4200ms: what a step really takes' },
  ],
  serving: [
    { name: 'replica', label: 'GPUs of a replica', hint: 'the cheapest when empty' },
    { name: 'price', label: 'Price, $', hint: 'of a GPU-hour; the list price when empty' },
  ],
}
const PRECISIONS = ['bf16', 'fp8', 'fp4']

interface Props {
  readonly purpose: Purpose
  readonly written: Written
  readonly faults: Faults
  readonly subjects: PlanSubjects | undefined
  readonly onAsk: (written: Written) => void
}

/** What to plan and on what. What is asked stands in the address, so that a link asks the same. */
export function PlanForm({ purpose, written, faults, subjects, onAsk }: Props) {
  const [on, setOn] = useState(written.on ?? LIVE)
  const field = ({ name, label, hint }: Field) => (
    <label key={name}>
      {label}
      <input name={name} defaultValue={written[name] ?? ''} aria-invalid={faults[name] !== undefined} />
      {faults[name] ? <span class="fault">{faults[name]}</span> : hint && <span class="hint">{hint}</span>}
    </label>
  )
  const more = MORE[purpose]
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault()
        const entries = new FormData(event.currentTarget).entries()
        onAsk(
          Object.fromEntries(
            [...entries].map(([name, value]) => [name, typeof value === 'string' ? value.trim() : '']),
          ),
        )
      }}
    >
      <div class="form">
        <label>
          Model
          <input
            name="model"
            required
            list="plan-models"
            placeholder="llama3-70b"
            autocomplete="off"
            defaultValue={written.model ?? ''}
          />
          <span class="hint">type to choose of {subjects?.models.length ?? 'many'}</span>
          <datalist id="plan-models">
            {subjects?.models.map(({ name, parameters, source }) => (
              <option key={name} value={name}>
                {compactText(parameters)} parameters; {source}
              </option>
            ))}
          </datalist>
        </label>
        {FIELDS[purpose].map(field)}
        <label>
          On
          <select name="on" value={on} onChange={(event) => setOn(event.currentTarget.value)}>
            <option value={LIVE}>this cluster</option>
            <optgroup label="Clusters">
              {subjects?.clusters.map(({ name, gpu, gpusPerNode }) => (
                <option key={name} value={name}>
                  {name}: {gpusPerNode} × {gpu}
                </option>
              ))}
            </optgroup>
            <optgroup label="GPUs in their usual node">
              {subjects?.gpus.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </optgroup>
          </select>
        </label>
        {on !== LIVE && field({ name: 'nodes', label: 'Nodes', hint: '1 when empty' })}
        {purpose === 'training' &&
          field({ name: 'gpus', label: 'GPUs', hint: 'of it; all when empty, or the best for the goal' })}
        <label>
          Precision
          <select name="precision">
            {PRECISIONS.map((each) => (
              <option key={each} selected={each === written.precision}>
                {each}
              </option>
            ))}
          </select>
        </label>
      </div>
      <details open={more.some(({ name }) => written[name])}>
        <summary>More</summary>
        <div class="form">
          {more.map(field)}
          {purpose === 'training' && (
            <label>
              Software
              <select name="software">
                <option value="">the newest that is known</option>
                {subjects?.software.map(({ name, title }) => (
                  <option key={name} value={name} selected={name === written.software}>
                    {title}
                  </option>
                ))}
              </select>
            </label>
          )}
        </div>
      </details>
      <div class="row">
        <button type="submit" class="primary">
          Plan
        </button>
      </div>
    </form>
  )
}
