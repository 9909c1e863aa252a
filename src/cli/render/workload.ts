import type { RankTimesView, WorkloadView } from '../../api/index.ts'
import { formatDuration } from '../../base/index.ts'
import { isFinal } from '../../model/index.ts'
import { clockTime, counted, fromNow } from './values.ts'

/** `step 120/400, loss 2.31`, as far as the program told. */
export function progressText({ progress }: Pick<WorkloadView, 'progress'>): string {
  if (!progress) return ''
  const { step, totalSteps, loss } = progress
  const steps = totalSteps === undefined ? `step ${step}` : `step ${step}/${totalSteps}`
  return loss === undefined ? steps : `${steps}, loss ${lossText(loss)}`
}

export function lossText(loss: number): string {
  return Math.abs(loss) >= 1000 || (loss !== 0 && Math.abs(loss) < 0.001)
    ? loss.toExponential(2)
    : loss.toPrecision(4)
}

/** When it will start or end, and else why it is where it is: the last column of `ps`. */
export function outlookText(workload: WorkloadView, now: number): string {
  const { state, stateReason, forecast, endsAt } = workload
  if (state === 'queued') {
    const eta = forecast
      ? `starts ${fromNow(forecast.p50At, now)} (90 %: ${fromNow(forecast.p90At, now)})`
      : ''
    return [eta, stateReason].filter(Boolean).join('; ')
  }
  if (workload.spec.type === 'serve' && !isFinal(state)) {
    const ready = `${workload.readyReplicas ?? 0}/${workload.spec.replicas} ready`
    return [ready, stateReason].filter(Boolean).join('; ')
  }
  if (state === 'running') {
    const eta = endsAt === undefined ? '' : endsAt > now ? `ends ${fromNow(endsAt, now)}` : 'ends any moment'
    return [eta, progressText(workload), stateReason].filter(Boolean).join(', ')
  }
  return stateReason
}

/** `64 x H100-SXM-80 for 12d 3h, about $371,000: the cheapest of ...; tensor 4, data 16`, of a run that declared itself. */
export function plannedText(spec: WorkloadView['spec']): string | undefined {
  if (spec.type !== 'train' || !spec.planned) return undefined
  const { gpus, gpu, wallMs, dollars, strategy, why } = spec.planned
  const cost = dollars.toLocaleString('en', { maximumFractionDigits: dollars < 100 ? 2 : 0 })
  return `${gpus} x ${gpu} for ${formatDuration(wallMs)}, about $${cost}: ${why}; ${strategy}`
}

/** The rank that the others wait for, and by how much it is slower; undefined where none stands out. */
export function stragglerText({ report, items }: RankTimesView): string | undefined {
  const stragglers = items.filter(({ isStraggler }) => isStraggler)
  const slowest = stragglers.toSorted((a, b) => b.computeMs - a.computeMs)[0]
  if (!report || !slowest) return undefined
  const { rank, node, computeMs } = slowest
  const over = Math.round(100 * (computeMs / report.medianMs - 1))
  const others = stragglers.length > 1 ? `, the slowest of ${stragglers.length}` : ''
  const times = `${computeMs.toPrecision(3)} ms a step, ${over} % over the median of ${report.medianMs.toPrecision(3)} ms`
  return `rank ${rank} on ${node}${others}: computes ${times}; the other ranks wait for it`
}

/** How long it has been there, or had been when it ended. */
export function ageText({ submittedAt }: WorkloadView, now: number): string {
  return formatDuration(Math.max(0, now - submittedAt))
}

/** A queued workload's forecast as a sentence. */
export function forecastText(forecast: NonNullable<WorkloadView['forecast']>, now: number): string {
  const { p50At, p90At, replications, hangsOn } = forecast
  const range =
    p90At - p50At < 60_000
      ? `around ${clockTime(p50At, now)} (${fromNow(p50At, now)})`
      : `around ${clockTime(p50At, now)} (${fromNow(p50At, now)}), nine times in ten by ${clockTime(p90At, now)} (${fromNow(p90At, now)})`
  return `starts ${range}; from ${counted(replications, 'run')} forward${hangsOn ? `; it hangs on ${hangsOn}` : ''}`
}
