import Table from 'cli-table3'
import { formatDuration, SECOND_MS } from '../base/index.ts'
import {
  type Curve,
  countParameters,
  type ModelShape,
  type RunPlan,
  type ServingPlan,
  STEP_PARTS,
  strategyText,
  thousands,
} from '../planner/index.ts'

/** A plan for people: figures, where a step's time goes as bars, memory, runners-up, and the curve where it was asked for. */
export function planText(plan: RunPlan, curve: Curve | undefined): string {
  const { machine, candidate, reliability } = plan
  const nodes = machine.gpuCount / machine.gpusPerNode
  const band = percent(plan.relativeError)
  const sections = [
    pairs([
      ['model', modelText(plan.shape)],
      [
        'machine',
        `${machine.gpuCount} x ${machine.gpu.name}${nodes > 1 ? ` on ${Math.ceil(nodes)} nodes` : ''}`,
      ],
      ['strategy', strategyText(candidate.strategy, machine)],
      [
        'step',
        `${candidate.step.total.toFixed(2)} s within ${band}; ${thousands(plan.tokensPerSecondPerGpu)} tokens/s for each GPU, ${percent(plan.modelFlopsUtilisation)} of peak`,
      ],
      ...(plan.actual ? [['measured', actualText(plan.actual)] as const] : []),
      ['limited by', `${plan.limit.by}, ${percent(plan.limit.share)} of a step`],
      ['run', `${billions(plan.tokens)} tokens in ${thousands(plan.steps)} steps`],
      ['time', `${duration(plan.wallSeconds)}, ${percent(reliability.productiveShare)} of it productive`],
      [
        'failures',
        `about ${reliability.failures.toFixed(1)}; save every ${duration(reliability.checkpoint.everySeconds)} (${gib(reliability.checkpoint.bytes)} in ${duration(reliability.checkpoint.writeSeconds)})`,
      ],
      [
        'cost',
        `$${thousands(plan.dollars)} for ${thousands(plan.gpuHours)} GPU-hours, ${thousands(plan.kilowattHours / 1000)} MWh`,
      ],
    ]),
    stepBars(plan),
    memoryLine(plan),
    runnersUp(plan),
  ]
  if (curve) sections.push(curveTable(curve))
  return `${sections.join('\n\n')}\n`
}

function actualText({ stepSeconds, ratio, withinBand }: NonNullable<RunPlan['actual']>): string {
  const difference = `${percent(Math.abs(ratio - 1))} ${ratio > 1 ? 'slower' : 'faster'} than planned`
  return `${stepSeconds.toFixed(2)} s, ${difference}${withinBand ? '' : ': outside of the band, look for a slow node, link or input'}`
}

const BAR_WIDTH = 40

function stepBars({ candidate: { step } }: RunPlan): string {
  const rows = STEP_PARTS.map(({ part, title }) => ({ title, value: step[part] }))
    .filter(({ value }) => value / step.total >= 0.005)
    .sort((a, b) => b.value - a.value)
  const widest = rows[0]!.value
  const lines = rows.map(({ title, value }) => {
    const bar = '█'.repeat(Math.max(1, Math.round((BAR_WIDTH * value) / widest)))
    return `  ${title.padEnd(22)}${percent(value / step.total).padStart(7)} ${bar}`
  })
  return ['where a step goes', ...lines].join('\n')
}

function memoryLine({ candidate: { memory }, machine }: RunPlan): string {
  const parts = (['weights', 'gradients', 'optimizer', 'activations', 'logits', 'buffers'] as const)
    .filter((part) => memory[part] > 0)
    .map((part) => `${part} ${gib(memory[part])}`)
  return `memory ${gib(memory.total)} of ${gib(machine.gpu.memoryBytes)}: ${parts.join(', ')}`
}

function runnersUp({ candidate, runnersUp: others, considered, machine }: RunPlan): string {
  if (others.length === 0) return `1 strategy of ${thousands(considered)} fits`
  const table = new Table({ ...PLAIN, colAligns: ['right', 'right', 'right', 'left'] })
  table.push(['step', 'slower', 'memory', `best of ${thousands(considered)} strategies`])
  for (const { step, memory, strategy } of [candidate, ...others]) {
    table.push([
      `${step.total.toFixed(2)} s`,
      percent(step.total / candidate.step.total - 1),
      gib(memory.total),
      strategyText(strategy, machine),
    ])
  }
  return table.toString()
}

function curveTable({ points, knee }: Curve): string {
  const table = new Table({ ...PLAIN, colAligns: ['right', 'right', 'right', 'right', 'left'] })
  table.push(['GPUs', 'time', 'cost', 'of peak', 'strategy'])
  points.forEach((plan, i) => {
    table.push([
      `${i === knee ? 'knee ' : ''}${plan.machine.gpuCount}`,
      duration(plan.wallSeconds),
      `$${thousands(plan.dollars)}`,
      percent(plan.modelFlopsUtilisation),
      strategyText(plan.candidate.strategy, plan.machine),
    ])
  })
  return table.toString()
}

/** A serving plan for people. */
export function servingText(shape: ModelShape, gpu: string, plan: ServingPlan): string {
  return `${pairs([
    ['model', modelText(shape)],
    ['replicas', `${plan.replicas} of ${plan.gpusPerReplica} x ${gpu}`],
    ['first token', `${(plan.firstTokenSeconds * 1000).toFixed(0)} ms`],
    ['each token', `${(plan.secondsPerToken * 1000).toFixed(1)} ms`],
    [
      'batch',
      `${plan.batch.toFixed(1)} requests at once on a replica; memory holds ${thousands(plan.memoryBatch)}`,
    ],
    [
      'a replica can',
      `${thousands(plan.tokensPerSecondPerReplica)} tokens/s, ${plan.requestsPerSecondPerReplica.toFixed(2)} requests/s`,
    ],
    [
      'memory',
      `weights ${gib(plan.weightBytesPerGpu)} on a GPU, cache ${(plan.cacheBytesPerToken / 1024).toFixed(0)} KiB a token`,
    ],
    ['decoding waits for', plan.limit],
    [
      'cost',
      `$${plan.dollarsPerHour.toFixed(2)} an hour, $${plan.dollarsPerMillionTokens.toFixed(2)} for a million output tokens`,
    ],
  ])}\n`
}

function modelText(shape: ModelShape): string {
  const { total, active } = countParameters(shape)
  return `${shape.name}, ${billions(total)} parameters${shape.blocks.moe > 0 ? `, ${billions(active)} for a token` : ''}`
}

const NO_LINES =
  'top,top-mid,top-left,top-right,bottom,bottom-mid,bottom-left,bottom-right,left,left-mid,mid,mid-mid,right,right-mid,middle'
const NOTHING = Object.fromEntries(NO_LINES.split(',').map((place) => [place, '']))

const PLAIN = {
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  chars: NOTHING,
}

function pairs(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  return rows.map(([name, value]) => `${name.padEnd(width)}${value}`).join('\n')
}

const duration = (seconds: number) => formatDuration(Math.round(seconds) * SECOND_MS)
const percent = (share: number) => `${(100 * share).toFixed(1)} %`
const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`
const billions = (value: number) =>
  value >= 1e12
    ? `${(value / 1e12).toFixed(2)} T`
    : value >= 1e9
      ? `${(value / 1e9).toFixed(1)} B`
      : `${(value / 1e6).toFixed(0)} M`
