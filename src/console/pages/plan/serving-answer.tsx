import type { ServingPlanView } from '../../../api/wire/plan.ts'
import { bytesText, countText, dollarsText, numberText } from '../../core/values.ts'
import { BarTable } from '../../parts/bar-table.tsx'
import { Fact } from '../../parts/facts.tsx'
import { Grounds, sourceOf } from './grounds.tsx'
import { SubmitPlan } from './submit-plan.tsx'

/** The cheapest replicas that carry the requests, what a client waits for, and what fills a GPU's memory. */
export function ServingAnswer({ plan }: { readonly plan: ServingPlanView }) {
  const { grounds } = plan
  return (
    <section class="stack" aria-label="The plan">
      <section class="card" aria-label="Figures">
        <header>
          <h2>
            {plan.model} on {countText(plan.replicas, 'replica')} of {plan.gpusPerReplica} × {plan.gpu}
          </h2>
          <SubmitPlan spec={plan.spec} />
        </header>
        <div class="card-body">
          <dl class="facts">
            <Fact title="Cost" source={sourceOf(grounds, 'List price') ?? sourceOf(grounds, 'Price')}>
              {dollarsText(plan.dollarsPerHour)} <span class="muted">an hour</span>
            </Fact>
            <Fact title="A million output tokens">{dollarsText(plan.dollarsPerMillionTokens)}</Fact>
            <Fact title="First token" source={sourceOf(grounds, 'Of the peak, large multiplies reach')}>
              {numberText(Math.round(plan.firstTokenSeconds * 1000))} ms
            </Fact>
            <Fact title="Each further token" source={sourceOf(grounds, 'Memory bandwidth')}>
              {numberText(plan.secondsPerToken * 1000)} ms <span class="muted">mostly {plan.limit}</span>
            </Fact>
            <Fact title="Requests at once">
              {numberText(Math.round(plan.batch * 10) / 10)}{' '}
              <span class="muted">of {numberText(Math.floor(plan.memoryBatch))} that memory holds</span>
            </Fact>
            <Fact title="A replica can">
              {numberText(plan.requestsPerSecondPerReplica)} <span class="muted">requests a second</span>
            </Fact>
            <Fact title="Its throughput">
              {numberText(Math.round(plan.tokensPerSecondPerReplica))}{' '}
              <span class="muted">tokens a second</span>
            </Fact>
          </dl>
        </div>
      </section>
      <MemoryCard plan={plan} />
      <Grounds grounds={grounds} />
    </section>
  )
}

function MemoryCard({ plan }: { readonly plan: ServingPlanView }) {
  const capacity = plan.grounds.find(({ name }) => name === 'Memory of a GPU')?.value ?? 0
  const { weightBytesPerGpu: weights, cacheBytesPerToken } = plan
  const rest = Math.max(0, capacity - weights)
  return (
    <section class="card" aria-label="Memory">
      <header>
        <h2>Memory of a GPU</h2>
        <span class="muted">a token in the cache takes {bytesText(cacheBytesPerToken)} of a replica</span>
      </header>
      <div class="card-body">
        <BarTable
          caption="Memory of a GPU"
          columns={['For', 'Share', 'Size']}
          most={capacity}
          bars={[
            { name: 'Weights', value: weights, text: bytesText(weights) },
            { name: 'Cache and all else', tone: 'idle', value: rest, text: bytesText(rest) },
          ]}
        />
      </div>
    </section>
  )
}
