import type { AttemptView, LoggedEventView, RankTimesView, WorkloadView } from '../../api/index.ts'
import { describeEvent } from '../../api/index.ts'
import { formatDuration } from '../../base/index.ts'
import { actorName, stepMsOf } from '../../model/index.ts'
import type { Cli } from '../cli.ts'
import { renderPairs, renderTable } from '../render/table.ts'
import { clockTime, fromNow, gpuHours, gpusText, painted } from '../render/values.ts'
import { forecastText, outlookText, plannedText, progressText, stragglerText } from '../render/workload.ts'

/** Everything of one workload: what it asked for, how it stands, its attempts and how they ended. */
export async function show(cli: Cli, id: string, options: { readonly events?: boolean }): Promise<void> {
  const client = await cli.client()
  const workload = await client.getWorkload({ id })
  const attempts = (await client.listAttempts({ id: workload.id })).items
  const events = options.events
    ? (await client.listEvents({ workload: workload.id, limit: 1000 })).items
    : undefined
  const ranks = workload.progress ? await client.listRanks({ id: workload.id }) : undefined
  const told = ranks?.report ? { ranks } : {}
  cli.print({ workload, attempts, ...told, ...(events ? { events } : {}) }, () =>
    [
      workloadSection(cli, workload, attempts.at(-1), ranks),
      attemptSection(cli, attempts),
      eventSection(cli, events),
    ]
      .filter(Boolean)
      .join('\n\n'),
  )
}

function workloadSection(
  cli: Cli,
  workload: WorkloadView,
  newest: AttemptView | undefined,
  ranks: RankTimesView | undefined,
): string {
  const now = cli.now()
  const { spec, owner, usage, checkpoint, forecast } = workload
  const reason = outlookText(workload, now)
  return renderPairs(cli, [
    ['workload', `${cli.paint.bold(workload.id)} ${spec.name} (${spec.type})`],
    [
      'state',
      `${painted(cli, workload.state)} since ${fromNow(workload.stateSince, now)}${reason ? `: ${reason}` : ''}`,
    ],
    ['owner', `${owner.user}, team ${owner.team}, priority ${spec.priority}`],
    ['submitted', `${clockTime(workload.submittedAt, now)} (${fromNow(workload.submittedAt, now)})`],
    ['asks for', resourceText(workload)],
    ['runs', fitted(cli, spec.program.run.join('; '))],
    ['in', spec.program.workdir],
    ['waits for', workload.waitsFor.join(', ')],
    ['forecast', forecast && workload.state === 'queued' ? forecastText(forecast, now) : undefined],
    ['planned', plannedText(workload.spec)],
    ['progress', progressLine(workload, now)],
    ['step time', stepTimeText(workload, newest)],
    ['straggler', ranks && stragglerText(ranks)],
    [
      'checkpoint',
      checkpoint ? `step ${checkpoint.step}, ${fromNow(checkpoint.at, now)}, ${checkpoint.path}` : undefined,
    ],
    ['time', timeText(workload)],
    ['failures', failuresText(workload)],
    [
      'avoids',
      workload.avoidedNodes
        .filter(({ until }) => until > now)
        .map(({ node }) => node)
        .join(', '),
    ],
    [
      'used',
      `${gpuHours(usage.held)} GPU-hours held, ${gpuHours(usage.billed)} billed, ${gpuHours(usage.lost)} lost`,
    ],
    ['you can', workload.actions.join(', ')],
  ])
}

/** Cut where the line would end, unless `--wide`; `--json` has it whole. */
function fitted(cli: Cli, text: string): string {
  const room = cli.io.columns - 13
  const line = text.replace(/\s*\n\s*/g, '; ')
  return cli.options.wide || line.length <= room ? line : `${line.slice(0, room - 1)}…`
}

function resourceText({ spec, gpus }: WorkloadView): string {
  const { shape, gpu, within, segment, spread, elastic } = spec.resources
  const size =
    shape.kind === 'nodes'
      ? `${shape.nodes} nodes${shape.gpusPerNode === undefined ? ', whole' : ` with ${shape.gpusPerNode} GPUs each`}`
      : gpusText(spec.type === 'serve' && spec.replicas > 0 ? gpus / spec.replicas : gpus)
  return [
    spec.type === 'serve' ? `${spec.replicas} x ${size}` : size,
    gpu?.models?.join(' or '),
    elastic && `elastic from ${elastic.min} to ${elastic.max}`,
    within && `within one ${within.level} (${within.mode})`,
    segment && `in parts of ${segment.nodes} nodes in one ${segment.level}`,
    spread && `spread over ${spread.level} (${spread.mode})`,
  ]
    .filter(Boolean)
    .join(', ')
}

function progressLine(workload: WorkloadView, now: number): string | undefined {
  if (!workload.progress) return undefined
  const first = workload.firstLoss === undefined ? '' : ` (first ${workload.firstLoss.toPrecision(4)})`
  return `${progressText(workload)}${first}, ${fromNow(workload.progress.at, now)}`
}

/** Plan against actual, for the attempt that is the newest. */
function stepTimeText({ spec }: WorkloadView, newest: AttemptView | undefined): string | undefined {
  if (spec.type !== 'train' || !spec.planned) return undefined
  const { stepMs, relativeError } = spec.planned
  const band = `${Math.round(100 * relativeError)} %`
  const planned = `planned ${secondsText(stepMs)} within ${band}`
  const measured = newest && stepMsOf(newest)
  if (measured === undefined) return planned
  const off = measured / stepMs - 1
  const how = `${Math.round(100 * Math.abs(off))} % ${off > 0 ? 'slower' : 'faster'}`
  const advice = off > relativeError ? ': look for a slow node, link or input' : ''
  return `measured ${secondsText(measured)}, ${planned}: ${how}${advice}`
}

function secondsText(ms: number): string {
  return `${(ms / 1000).toPrecision(3)} s`
}

function timeText({ spec: { expectedMs, limitMs } }: WorkloadView): string {
  return [
    expectedMs === undefined ? '' : `expected ${formatDuration(expectedMs)}`,
    limitMs === undefined ? '' : `limit ${formatDuration(limitMs)}`,
  ]
    .filter(Boolean)
    .join(', ')
}

function failuresText({ userFailures, platformFailures, spec: { retry } }: WorkloadView): string | undefined {
  if (userFailures + platformFailures === 0) return undefined
  return `${userFailures} of the program (${retry.user} retried), ${platformFailures} of the platform (not charged)`
}

function attemptSection(cli: Cli, attempts: readonly AttemptView[]): string {
  if (attempts.length === 0) return ''
  const now = cli.now()
  const table = renderTable(
    cli,
    [
      { title: 'ATTEMPT', cell: ({ id }) => id },
      { title: 'STATE', cell: ({ state, outcome }) => painted(cli, outcome ?? state) },
      { title: 'ON', cell: placeText, shrinksTo: 16 },
      { title: 'STARTED', cell: ({ plannedAt }) => clockTime(plannedAt, now) },
      { title: 'RAN', cell: (attempt) => runTime(attempt, now), align: 'right' },
      { title: 'STEPS', cell: stepsText, align: 'right' },
      { title: 'GPU-H', cell: ({ usage }) => (usage ? gpuHours(usage.held) : ''), align: 'right' },
    ],
    attempts,
  )
  const failures = attempts.flatMap((attempt) => failureLines(cli, attempt))
  return [table, ...failures].join('\n')
}

function placeText({ allocation }: AttemptView): string {
  return allocation.parts.map(({ node, gpus }) => `${node}:${ranges(gpus)}`).join(' ')
}

/** `0-3,6` */
function ranges(indices: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < indices.length; ) {
    let end = i
    while (indices[end + 1] === indices[end]! + 1) end++
    parts.push(end === i ? `${indices[i]}` : `${indices[i]}-${indices[end]}`)
    i = end + 1
  }
  return parts.join(',')
}

function runTime({ runningAt, endedAt }: AttemptView, now: number): string {
  return runningAt === undefined ? '' : formatDuration(Math.max(0, (endedAt ?? now) - runningAt))
}

function stepsText({ resumedFromStep, progress }: AttemptView): string {
  if (!progress) return ''
  return `${resumedFromStep ?? 0} to ${progress.step}`
}

function failureLines(cli: Cli, { id, failure, stop }: AttemptView): string[] {
  if (failure) {
    const blame = failure.node === undefined ? '' : ` (node ${failure.node})`
    const evidence = failure.evidence === undefined ? [] : [`    ${cli.paint.dim(failure.evidence)}`]
    return [`  ${id} ${cli.paint.red(failure.class)}: ${failure.message}${blame}`, ...evidence]
  }
  return stop ? [`  ${id} stopped (${stop.reason}) by ${actorName(stop.actor)}`] : []
}

function eventSection(cli: Cli, events: readonly LoggedEventView[] | undefined): string {
  if (!events || events.length === 0) return ''
  const now = cli.now()
  return renderTable(
    cli,
    [
      { title: 'TIME', cell: ({ at }) => clockTime(at, now) },
      { title: 'BY', cell: ({ actor }) => actorName(actor) },
      { title: 'EVENT', cell: describeEvent, shrinksTo: 20 },
    ],
    events,
  )
}
