import type { Submitted } from '../../../api/wire/workload.ts'
import type { Answer } from '../../core/answer.ts'
import { useNow } from '../../core/clock.ts'
import { countText } from '../../core/values.ts'
import { Link } from '../../parts/link.tsx'
import { Forecast } from '../../parts/moment.tsx'
import { NodeLinks } from '../../parts/node-links.tsx'
import { Answered } from '../../parts/notes.tsx'
import { Cost } from './cost.tsx'

interface Props {
  readonly answer: Answer<Submitted>
  /** Whether the text has changed since it was asked about. */
  readonly isOld: boolean
  readonly isValid: boolean
  /** Where it is told what it would do to others' work. */
  readonly toOthers: string
}

/** What submitting this would lead to, tried on a copy of the live state: when and where it starts, and what it costs. */
export function DryRun({ answer, isOld, isValid, toOthers }: Props) {
  return (
    <section class="card" aria-label="What would happen" aria-live="polite">
      <header>
        <h2>What would happen</h2>
      </header>
      <div class="card-body stack" aria-busy={isOld} data-old={isOld}>
        {isValid ? (
          <Answered answer={answer} what="the answer">
            {(data) => (
              <>
                <Outlooks answered={data} />
                <p>
                  <Link to={toOthers}>Who would wait for it?</Link>
                </p>
              </>
            )}
          </Answered>
        ) : (
          <p class="muted">The spec has faults; they stand below its text.</p>
        )}
      </div>
    </section>
  )
}

const SHOWN = 3

function Outlooks({ answered: { outlook, specs } }: { readonly answered: Submitted }) {
  return (
    <>
      {outlook.slice(0, SHOWN).map((each, index) => (
        <div key={each.name} class="stack">
          {outlook.length > 1 && <h3>{each.name}</h3>}
          <Start outlook={each} />
          {specs[index] && <Cost spec={specs[index]} />}
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

const NODES_SHOWN = 6

/** When it starts, and where if that is now. */
export function Start({ outlook }: { readonly outlook: Submitted['outlook'][number] }) {
  const now = useNow()
  const { startsNow, nodes, domain, forecast } = outlook
  if (!startsNow) {
    return (
      <p>
        <span class="badge warn">waits</span>{' '}
        {forecast ? (
          <>
            and starts <Forecast forecast={forecast} now={now} />; where is chosen then
          </>
        ) : (
          <span class="muted">its start is not foreseen</span>
        )}
      </p>
    )
  }
  return (
    <p>
      <span class="badge good">starts now</span> on {countText(nodes.length, 'node')}
      {domain.length > 0 && ` in ${domain.join(' / ')}`}: <NodeLinks names={nodes} shown={NODES_SHOWN} />
    </p>
  )
}
