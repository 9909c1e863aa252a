import type { PlanView } from '../../../api/wire/plan.ts'
import {
  bytesText,
  compactText,
  countText,
  dollarsText,
  numberText,
  percentText,
  secondsText,
} from '../../core/values.ts'
import { BarTable } from '../../parts/bar-table.tsx'
import { DataTable } from '../../parts/data-table.tsx'
import { Fact } from '../../parts/facts.tsx'
import { Grounds, sourceOf } from './grounds.tsx'
import { SubmitPlan } from './submit-plan.tsx'
import { TimeCost } from './time-cost.tsx'

type StepPart = Exclude<keyof PlanView['step'], 'total'>

/** The parts of a step in words, by what they wait for; `PlanView.limit` names the largest of these kinds. */
const STEP_PARTS: readonly (readonly [StepPart, string, PlanView['limit']['by']])[] = [
  ['matmul', 'Matrix multiplies', 'compute'],
  ['attention', 'Attention', 'compute'],
  ['memory', 'Memory-bound kernels', 'memory'],
  ['optimizer', 'Optimizer', 'memory'],
  ['tensor', 'Tensor exchange', 'network'],
  ['context', 'Context exchange', 'network'],
  ['expert', 'Expert exchange', 'network'],
  ['pipeline', 'Stage to stage', 'network'],
  ['data', 'Gradients and weights', 'network'],
  ['bubble', 'Pipeline bubble', 'bubble'],
  ['launch', 'Waiting for the host', 'host'],
  ['overhead', 'Overhead', 'host'],
]
const MEMORY_PARTS: readonly (readonly [Exclude<keyof PlanView['memory'], 'total'>, string])[] = [
  ['weights', 'Weights'],
  ['gradients', 'Gradients'],
  ['optimizer', 'Optimizer'],
  ['activations', 'Activations'],
  ['logits', 'Logits'],
  ['buffers', 'Buffers'],
]
const TONES = {
  compute: undefined,
  memory: 'memory',
  network: 'network',
  bubble: 'lost',
  host: 'idle',
} as const

/** Parts below this share of a step are left out. */
const LEAST_SHARE = 0.002

interface Props {
  readonly plan: PlanView
  /** Where the same is planned for so many GPUs. */
  readonly toSize: (gpus: number) => string
}

/** What a run takes: the figures, where its step and its memory go, and the other sizes that it could have. */
export function TrainingAnswer({ plan, toSize }: Props) {
  return (
    <section class="stack" aria-label="The plan">
      <Figures plan={plan} />
      {plan.curve && plan.curve.length > 1 && <TimeCost plan={plan} curve={plan.curve} toSize={toSize} />}
      <div class="columns">
        <StepCard plan={plan} />
        <MemoryCard plan={plan} />
      </div>
      <RunnersUp plan={plan} />
      <Grounds grounds={plan.grounds} />
    </section>
  )
}

function Figures({ plan }: { readonly plan: PlanView }) {
  const { machine, relativeError, reliability, grounds, actual } = plan
  const nodes = Math.ceil(machine.gpuCount / machine.gpusPerNode)
  const { checkpoint } = reliability
  return (
    <section class="card" aria-label="Figures">
      <header>
        <h2>
          {plan.model} on {numberText(machine.gpuCount)} × {machine.gpu}
        </h2>
        <SubmitPlan spec={plan.spec} />
      </header>
      <div class="card-body stack">
        <dl class="facts">
          <Fact title="Time" source={sourceOf(grounds, 'Two thirds of predictions are off by at most')}>
            {secondsText(plan.wallSeconds)} <span class="muted">± {percentText(relativeError)}</span>
          </Fact>
          <Fact title="Cost" source={sourceOf(grounds, 'List price') ?? sourceOf(grounds, 'Price')}>
            {dollarsText(plan.dollars)} <span class="muted">{compactText(plan.gpuHours)} GPU-hours</span>
          </Fact>
          <Fact title="Size">
            {countText(machine.gpuCount, 'GPU')} <span class="muted">on {countText(nodes, 'node')}</span>
          </Fact>
          <Fact title="Step">
            {stepText(plan.step.total)} <span class="muted">× {numberText(plan.steps)}</span>
          </Fact>
          <Fact title="Tokens">
            {compactText(plan.tokens)}{' '}
            <span class="muted">{numberText(Math.round(plan.tokensPerSecondPerGpu))} a second and GPU</span>
          </Fact>
          <Fact
            title="Of the peak"
            source={sourceOf(grounds, `Peak in ${plan.strategy.precision.toUpperCase()}`)}
          >
            {percentText(plan.modelFlopsUtilisation)}
          </Fact>
          <Fact title="Failures on the way" source={sourceOf(grounds, 'Failures of a node')}>
            {numberText(Math.round(reliability.failures * 10) / 10)}{' '}
            <span class="muted">{percentText(reliability.productiveShare)} productive</span>
          </Fact>
          <Fact title="Checkpoint every">
            {secondsText(checkpoint.everySeconds)}{' '}
            <span class="muted">
              {bytesText(checkpoint.bytes)} in {secondsText(checkpoint.writeSeconds)}
            </span>
          </Fact>
          <Fact title="Energy">{numberText(Math.round(plan.kilowattHours / 100) / 10)} MWh</Fact>
        </dl>
        <p>
          <b>Spread:</b> {plan.strategyText}.
        </p>
        {actual && (
          <p>
            <span class={`badge ${actual.withinBand ? 'good' : 'warn'}`}>measured</span>{' '}
            {stepText(actual.stepSeconds)}, {percentText(Math.abs(actual.ratio - 1))}{' '}
            {actual.ratio > 1 ? 'slower' : 'faster'} than planned
            {actual.withinBand ? '.' : ': outside of the band, look for a slow node, link or input.'}
          </p>
        )}
      </div>
    </section>
  )
}

function StepCard({ plan: { step, limit } }: { readonly plan: PlanView }) {
  const bars = STEP_PARTS.filter(([part]) => step[part] / step.total >= LEAST_SHARE)
    .toSorted(([a], [b]) => step[b] - step[a])
    .map(([part, name, kind]) => ({
      name,
      note: kind,
      tone: TONES[kind],
      value: step[part],
      text: `${stepText(step[part])}, ${percentText(step[part] / step.total)}`,
    }))
  return (
    <section class="card" aria-label="Where a step goes">
      <header>
        <h2>Where a step of {stepText(step.total)} goes</h2>
        <span class="muted">
          mostly {limit.by}, {percentText(limit.share)}
        </span>
      </header>
      <div class="card-body">
        <BarTable caption="Parts of a step" columns={['Part', 'Share', 'Time']} bars={bars} />
      </div>
    </section>
  )
}

function MemoryCard({ plan: { memory, machine } }: { readonly plan: PlanView }) {
  const capacity = machine.gpuMemoryBytes
  const bars = [
    ...MEMORY_PARTS.filter(([part]) => memory[part] > 0).map(([part, name]) => ({
      name,
      value: memory[part],
      text: bytesText(memory[part]),
    })),
    {
      name: 'Free',
      tone: 'idle' as const,
      value: Math.max(0, capacity - memory.total),
      text: bytesText(Math.max(0, capacity - memory.total)),
    },
  ]
  return (
    <section class="card" aria-label="Memory">
      <header>
        <h2>Memory of the fullest GPU</h2>
        <span class="muted">
          {bytesText(memory.total)} of {bytesText(capacity)}
        </span>
      </header>
      <div class="card-body">
        <BarTable
          caption="Memory of the fullest GPU"
          columns={['For', 'Share', 'Size']}
          bars={bars}
          most={capacity}
        />
      </div>
    </section>
  )
}

function RunnersUp({ plan }: { readonly plan: PlanView }) {
  if (plan.runnersUp.length === 0) return null
  const best = plan.step.total
  return (
    <section class="stack" aria-label="Other ways to spread it">
      <h2>Other ways to spread it</h2>
      <p class="hint">The best of {numberText(plan.considered)} that were considered at this size.</p>
      <DataTable
        caption="Strategies, fastest first"
        rows={[plan, ...plan.runnersUp]}
        keyOf={({ strategy }) => JSON.stringify(strategy)}
        columns={[
          { title: 'Strategy', cell: ({ strategyText }) => strategyText },
          { title: 'Step', isNumber: true, isTight: true, cell: ({ step }) => stepText(step.total) },
          {
            title: 'Slower',
            isNumber: true,
            isTight: true,
            cell: ({ step }) => (step.total === best ? '' : percentText(step.total / best - 1)),
          },
          { title: 'Memory', isNumber: true, isTight: true, cell: ({ memory }) => bytesText(memory.total) },
        ]}
      />
    </section>
  )
}

function stepText(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toPrecision(3)} ms` : `${seconds.toFixed(2)} s`
}
