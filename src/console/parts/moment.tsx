import { fromNowText, momentText } from '../core/values.ts'

/** A moment as how far it is from now; the moment itself, in the reader's zone, on hover. */
export function Moment({ at, now }: { readonly at: number; readonly now: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={momentText(at)}>
      {fromNowText(at, now)}
    </time>
  )
}

/** When something will be: the range in which it falls nine times in ten. */
export function Forecast({
  forecast,
  now,
}: {
  readonly forecast: { readonly p50At: number; readonly p90At: number }
  readonly now: number
}) {
  const { p50At, p90At } = forecast
  if (p90At < now) return <span class="muted">later than foreseen</span>
  const title = `half of the runs forward by ${momentText(p50At)}, nine in ten by ${momentText(p90At)}`
  const last = fromNowText(Math.max(p90At, now), now).replace(/^in /, '')
  const isRange = p90At - p50At > 60_000
  return (
    <span title={title}>
      {fromNowText(Math.max(p50At, now), now)}
      {isRange && <span class="muted"> to {last}</span>}
    </span>
  )
}
