import { useEffect, useState } from 'preact/hooks'
import type { Submitted } from '../../../api/wire/workload.ts'
import { HOUR_MS } from '../../../base/units.ts'
import { useAnswer } from '../../core/answer.ts'
import { useNow } from '../../core/clock.ts'
import { useSignedIn } from '../../core/session.ts'
import { countText, numberText } from '../../core/values.ts'
import { Link } from '../../parts/link.tsx'
import { Forecast } from '../../parts/moment.tsx'
import { Answered } from '../../parts/notes.tsx'

/** How long the text must rest before the server is asked. */
const REST_MS = 500

interface Props {
  readonly text: string
  readonly team: string
  readonly isValid: boolean
}

/** What submitting this would lead to, tried on a copy of the live state. */
export function DryRun({ text, team, isValid }: Props) {
  const { client } = useSignedIn()
  const [asked, setAsked] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), REST_MS)
    return () => clearTimeout(timer)
  }, [text])
  const answer = useAnswer(
    `dry/${team}/${asked}`,
    (signal) =>
      client.submitWorkload({ spec: asked, dryRun: true, ...(team === '' ? {} : { team }) }, { signal }),
    { when: isValid, everyMs: 10_000 },
  )
  return (
    <section class="card" aria-label="What would happen" aria-live="polite">
      <header>
        <h2>What would happen</h2>
      </header>
      <div class="card-body stack" aria-busy={asked !== text} data-old={asked !== text}>
        {isValid ? (
          <Answered answer={answer} what="the answer">
            {(data) => <Outlooks answered={data} />}
          </Answered>
        ) : (
          <p class="muted">The spec has faults; they stand below its text.</p>
        )}
      </div>
    </section>
  )
}

const SHOWN = 3

function Outlooks({ answered }: { readonly answered: Submitted }) {
  const now = useNow()
  const { outlook, specs } = answered
  return (
    <>
      {outlook.slice(0, SHOWN).map((each, index) => (
        <div key={each.name} class="stack">
          {outlook.length > 1 && <h3>{each.name}</h3>}
          {each.startsNow ? (
            <p>
              <span class="badge good">starts now</span> on {countText(each.nodes.length, 'node')}:{' '}
              {each.nodes.slice(0, 6).map((node) => (
                <span key={node}>
                  <Link to={`/machine?node=${encodeURIComponent(node)}`}>{node}</Link>{' '}
                </span>
              ))}
              {each.nodes.length > 6 && <span class="muted">and {each.nodes.length - 6} more</span>}
            </p>
          ) : (
            <p>
              <span class="badge warn">waits</span>{' '}
              {each.forecast ? (
                <>
                  and starts <Forecast forecast={each.forecast} now={now} />
                </>
              ) : (
                <span class="muted">its start is not foreseen</span>
              )}
            </p>
          )}
          <Cost spec={specs[index]} />
          {each.explanation && (
            <ul class="blockers">
              {each.explanation.blockers.map(({ kind, message }) => (
                <li key={message}>
                  <span class="badge warn">{kind}</span> {message}
                </li>
              ))}
              {each.explanation.counterfactuals.map(({ message, startsNow }) => (
                <li key={message}>
                  <span class={`badge ${startsNow ? 'good' : ''}`}>tried</span> {message}
                </li>
              ))}
            </ul>
          )}
        </div>
      ))}
      {outlook.length > SHOWN && <p class="muted">and {outlook.length - SHOWN} more like these</p>}
    </>
  )
}

/** GPU-hours of a run that takes as long as its submitter expects, and at most. */
function Cost({ spec }: { readonly spec: Submitted['specs'][number] | undefined }) {
  if (!spec) return null
  const { shape } = spec.resources
  const gpus =
    shape.kind === 'gpus'
      ? shape.gpus
      : shape.kind === 'fraction'
        ? shape.milliGpus / 1000
        : shape.gpusPerNode === undefined
          ? undefined
          : shape.nodes * shape.gpusPerNode
  if (gpus === undefined)
    return <p class="muted">Takes {shape.kind === 'nodes' && countText(shape.nodes, 'whole node')}.</p>
  const hours = (ms: number) => numberText((gpus * ms) / HOUR_MS)
  return (
    <p class="muted">
      Takes {countText(gpus, 'GPU')}
      {spec.expectedMs !== undefined &&
        `, ${hours(spec.expectedMs)} GPU-hours if it takes as long as expected`}
      {spec.limitMs !== undefined && `, ${hours(spec.limitMs)} at most for an attempt`}.
    </p>
  )
}
