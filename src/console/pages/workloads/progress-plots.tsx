import { type KnownEvent, knownEventOf } from '../../../api/known-event.ts'
import type { LoggedEventView } from '../../../api/wire/event.ts'
import { compactText, millisecondsText } from '../../core/values.ts'
import { LinePlot, type Point } from '../../parts/line-plot.tsx'

type Progressed = Extract<KnownEvent, { kind: 'attempt-progressed' }>

/** Loss, step time and throughput, as far as the program told of them. */
export function ProgressPlots({ events }: { readonly events: readonly LoggedEventView[] }) {
  const told = events.flatMap((logged) => {
    const event = logged.event.kind === 'attempt-progressed' ? knownEventOf(logged) : undefined
    return event?.kind === 'attempt-progressed' ? event : []
  })
  const loss = told.flatMap(({ progress: { step, loss: y } }) => (y === undefined ? [] : { x: step, y }))
  const pace = paces(told)
  const throughput = pace.flatMap(({ step, tokensPerSecond }) =>
    tokensPerSecond === undefined ? [] : { x: step, y: tokensPerSecond },
  )
  if (loss.length < 2 && pace.length < 2) return null
  return (
    <section class="card" aria-label="Progress">
      <header>
        <h2>Progress</h2>
      </header>
      <div class="card-body plots">
        {loss.length >= 2 && (
          <LinePlot title="Loss" xName="steps" yName="" points={loss} yText={(y) => y.toPrecision(4)} />
        )}
        {pace.length >= 2 && (
          <LinePlot
            title="Step time"
            xName="steps"
            yName="a step"
            points={pace.map(({ step, seconds }): Point => ({ x: step, y: seconds }))}
            yText={(y) => millisecondsText(y * 1_000)}
          />
        )}
        {throughput.length >= 2 && (
          <LinePlot
            title="Throughput"
            xName="steps"
            yName="tokens/s"
            points={throughput}
            yText={compactText}
          />
        )}
      </div>
    </section>
  )
}

interface Pace {
  readonly step: number
  readonly seconds: number
  readonly tokensPerSecond: number | undefined
}

/** From one word of progress to the next of the same attempt. */
function paces(told: readonly Progressed[]): Pace[] {
  return told.flatMap(({ attempt, progress }, i) => {
    const before = told[i - 1]
    if (!before || before.attempt !== attempt || progress.step <= before.progress.step) return []
    const seconds = (progress.at - before.progress.at) / 1000
    if (seconds <= 0) return []
    const tokens =
      progress.tokens === undefined || before.progress.tokens === undefined
        ? undefined
        : progress.tokens - before.progress.tokens
    return {
      step: progress.step,
      seconds: seconds / (progress.step - before.progress.step),
      tokensPerSecond: tokens === undefined ? undefined : tokens / seconds,
    }
  })
}
