import { formatDuration, SECOND_MS } from '../base/index.ts'
import type { Curve } from './curve.ts'
import { type RunPlan, strategyText } from './run.ts'
import { STEP_PARTS, type StepPart } from './step-parts.ts'
import { thousands } from './thousands.ts'

/** One page that stands alone: no script, no picture from elsewhere; the same plan gives the same bytes. */
export function planPage(plan: RunPlan, curve: Curve | undefined): string {
  const title = `${plan.shape.name} on ${plan.machine.gpuCount} x ${plan.machine.gpu.name}`
  const body = [
    `<h1>${escapeXml(title)}</h1>`,
    `<p>${escapeXml(strategyText(plan.candidate.strategy))}</p>`,
    figures(plan),
    `<h2>Where a step of ${plan.candidate.step.total.toFixed(2)} s goes</h2>`,
    stepBar(plan),
    '<h2>Memory of the fullest GPU</h2>',
    memoryBar(plan),
    '<h2>Runners-up</h2>',
    table(
      ['step', 'strategy', 'memory'],
      [plan.candidate, ...plan.runnersUp].map(({ step, strategy, memory }) => [
        `${step.total.toFixed(2)} s`,
        strategyText(strategy),
        gib(memory.total),
      ]),
    ),
    ...(curve && curve.points.length > 1
      ? ['<h2>Time and cost over GPUs</h2>', curvePlot(curve), curveTable(curve)]
      : []),
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeXml(title)}</title><style>${STYLE}</style></head>
<body>${body.join('\n')}</body></html>
`
}

const STYLE = `body{font:15px/1.45 system-ui,sans-serif;max-width:760px;margin:1rem auto;padding:0 .8rem;color:#1b1b1b;background:#fff}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.6rem 0 .3rem}svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:#444}
.grid{stroke:#ddd}table{border-collapse:collapse;font-size:.85rem;width:100%}th,td{padding:.2rem .5rem;text-align:right;border-bottom:1px solid #e5e5e5}
th:first-child,td:first-child{text-align:left}.legend{margin:0;font-size:.85rem}.legend span{margin-right:1rem;white-space:nowrap}
@media print{body{max-width:none;margin:0}}`

const COLOURS: Readonly<Record<StepPart, string>> = {
  matmul: '#2f6db5',
  attention: '#5b9bd5',
  memory: '#7a5ea8',
  launch: '#999999',
  tensor: '#d98f2b',
  context: '#e8b667',
  expert: '#c9671d',
  pipeline: '#b5482a',
  data: '#8f2d1d',
  bubble: '#d9d9d9',
  optimizer: '#4d9a6a',
  overhead: '#666666',
}

function figures(plan: RunPlan): string {
  const { reliability } = plan
  const band = `${(100 * plan.relativeError).toFixed(0)} %`
  return table(
    ['', ''],
    [
      ['time', `${duration(plan.wallSeconds)} within ${band}`],
      ['cost', dollars(plan.dollars)],
      ['GPU-hours', thousands(plan.gpuHours)],
      ['energy', `${thousands(plan.kilowattHours / 1000)} MWh`],
      ['tokens, steps', `${thousands(plan.tokens / 1e9)} billion, ${thousands(plan.steps)}`],
      ['tokens a second for each GPU', thousands(plan.tokensPerSecondPerGpu)],
      ['model FLOP utilisation', `${(100 * plan.modelFlopsUtilisation).toFixed(1)} %`],
      ['limited by', `${plan.limit.by} (${(100 * plan.limit.share).toFixed(0)} % of a step)`],
      ['failures on the way', reliability.failures.toFixed(1)],
      ['a checkpoint every', duration(reliability.checkpoint.everySeconds)],
      ['productive share', `${(100 * reliability.productiveShare).toFixed(1)} %`],
    ],
  )
}

function stepBar(plan: RunPlan): string {
  const { step } = plan.candidate
  return stackedBar(
    STEP_PARTS.map(({ part, title }) => ({ title, value: step[part], colour: COLOURS[part] })),
    step.total,
    (value) => `${((100 * value) / step.total).toFixed(1)} %`,
  )
}

function memoryBar(plan: RunPlan): string {
  const { memory } = plan.candidate
  const capacity = plan.machine.gpu.memoryBytes
  const parts = [
    { title: 'weights', value: memory.weights, colour: '#2f6db5' },
    { title: 'gradients', value: memory.gradients, colour: '#5b9bd5' },
    { title: 'optimizer', value: memory.optimizer, colour: '#7a5ea8' },
    { title: 'activations', value: memory.activations, colour: '#d98f2b' },
    { title: 'logits', value: memory.logits, colour: '#e8b667' },
    { title: 'buffers', value: memory.buffers, colour: '#999999' },
    { title: 'free', value: Math.max(0, capacity - memory.total), colour: '#eeeeee' },
  ]
  return stackedBar(parts, Math.max(capacity, memory.total), gib)
}

function stackedBar(
  parts: readonly { title: string; value: number; colour: string }[],
  total: number,
  label: (value: number) => string,
): string {
  const shown = parts.filter(({ value }) => value / total >= 0.001)
  let x = 0
  const bars = shown.map(({ title, value, colour }) => {
    const width = (740 * value) / total
    const bar = `<rect x="${x.toFixed(1)}" y="0" width="${width.toFixed(1)}" height="26" fill="${colour}"><title>${title} ${label(value)}</title></rect>`
    x += width
    return bar
  })
  const legend = shown.map(
    ({ title, value, colour }) =>
      `<span><b style="color:${colour}">&#9632;</b> ${title} ${label(value)}</span>`,
  )
  return `<svg viewBox="0 0 740 26" role="img">${bars.join('')}</svg><p class="legend">${legend.join(' ')}</p>`
}

/** Days and millions of dollars over GPUs, both axes logarithmic, with the knee ringed. */
function curvePlot({ points, knee }: Curve): string {
  const xs = points.map(({ machine }) => Math.log(machine.gpuCount))
  const at = (values: readonly number[], size: number, from: number) => {
    const low = Math.min(...values)
    const high = Math.max(...values)
    return (value: number) => from + (size * (value - low)) / (high - low || 1)
  }
  const x = at(xs, 600, 60)
  const days = points.map(({ wallSeconds }) => Math.log(wallSeconds))
  const cost = points.map(({ dollars: sum }) => Math.log(sum))
  const line = (values: readonly number[], colour: string) => {
    const y = at(values, -180, 210)
    const path = values.map(
      (value, i) => `${i === 0 ? 'M' : 'L'}${x(xs[i]!).toFixed(1)} ${y(value).toFixed(1)}`,
    )
    const dots = values.map(
      (value, i) =>
        `<circle cx="${x(xs[i]!).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3" fill="${colour}"/>`,
    )
    return `<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`
  }
  const kneeAt = `<circle cx="${x(xs[knee]!).toFixed(1)}" cy="${at(days, -180, 210)(days[knee]!).toFixed(1)}" r="8" fill="none" stroke="#1b1b1b"/>`
  const labels = points.map(
    ({ machine }, i) =>
      `<text x="${x(xs[i]!).toFixed(1)}" y="232" text-anchor="middle">${machine.gpuCount}</text>`,
  )
  return `<svg viewBox="0 0 740 240" role="img"><line class="grid" x1="60" y1="212" x2="660" y2="212"/>${line(days, '#2f6db5')}${line(cost, '#b5482a')}${kneeAt}${labels.join('')}</svg>
<p class="legend"><span><b style="color:#2f6db5">&#9632;</b> time</span> <span><b style="color:#b5482a">&#9632;</b> cost</span> <span>&#9675; knee, ${points[knee]!.machine.gpuCount} GPUs</span></p>`
}

function curveTable({ points, knee }: Curve): string {
  return table(
    ['GPUs', 'time', 'cost', 'utilisation', 'strategy'],
    points.map((plan, i) => [
      `${plan.machine.gpuCount}${i === knee ? ' (knee)' : ''}`,
      duration(plan.wallSeconds),
      dollars(plan.dollars),
      `${(100 * plan.modelFlopsUtilisation).toFixed(1)} %`,
      strategyText(plan.candidate.strategy),
    ]),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]) =>
    `<tr>${row.map((cell) => `<${tag}>${escapeXml(cell)}</${tag}>`).join('')}</tr>`
  return `<table>${head.some(Boolean) ? cells('th', head) : ''}${rows.map((row) => cells('td', row)).join('')}</table>`
}

const duration = (seconds: number) => formatDuration(Math.round(seconds) * SECOND_MS)
const dollars = (value: number) => `$${thousands(value)}`
const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
