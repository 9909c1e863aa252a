import { formatDuration, HOUR_MS, SECOND_MS } from '../../base/units.ts'

const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const ABSOLUTE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' })

/** `1,234.5` */
export function numberText(value: number): string {
  return NUMBER.format(value)
}

/** `1.2K` */
export function compactText(value: number): string {
  return COMPACT.format(value)
}

/** `1 GPU`, `1,536 nodes` */
export function countText(count: number, noun: string): string {
  return `${numberText(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** A share as `37 %`. */
export function percentText(share: number): string {
  const percent = share * 100
  return `${percent > 0 && percent < 1 ? '<1' : Math.round(percent)} %`
}

/** Seconds as `1d 4h`. */
export function secondsText(seconds: number): string {
  return formatDuration(Math.round(seconds) * SECOND_MS)
}

/** Milliseconds as `105 ms`, or as seconds from one on. */
export function millisecondsText(ms: number): string {
  return ms < 1_000 ? `${NUMBER.format(Number(ms.toPrecision(3)))} ms` : `${(ms / 1_000).toPrecision(3)} s`
}

/** Bytes in the largest binary unit. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const
  const step = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1)
  const size = bytes / 2 ** (10 * step)
  return `${NUMBER.format(Number(size.toPrecision(3)))} ${units[step]!}`
}

/** Dollars, as much of them as matters. */
export function dollarsText(dollars: number): string {
  if (dollars >= 1e6) return `$${(dollars / 1e6).toPrecision(3)}M`
  return dollars < 100 ? `$${dollars.toFixed(2)}` : `$${NUMBER.format(Math.round(dollars))}`
}

/** GPU-milliseconds as GPU-hours. */
export function gpuHoursText(gpuMs: number): string {
  const hours = gpuMs / HOUR_MS
  return NUMBER.format(hours < 10 ? Math.round(hours * 100) / 100 : Math.round(hours))
}

/** The moment in the reader's zone, with the zone. */
export function momentText(at: number): string {
  return ABSOLUTE.format(at)
}

/** `in 5m`, `5m ago`, `now`. */
export function fromNowText(at: number, now: number): string {
  const span = at - now
  if (Math.abs(span) < 1_000) return 'now'
  return span > 0 ? `in ${formatDuration(span)}` : `${formatDuration(-span)} ago`
}
