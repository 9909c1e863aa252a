import { formatDuration } from '../../base/index.ts'
import type { RunReport } from './insight.ts'
import { escapeXml } from './plot.ts'

/** One run of a page, and what it is called there. */
export interface NamedRun {
  readonly name: string
  readonly report: RunReport
}

/** One part of the page under a heading. */
export function section(title: string, content: string): string {
  return `<section><h2>${escapeXml(title)}</h2>${content}</section>`
}

/** A plot under a heading, which has half of a wide page. */
export function plotSection(title: string, plot: string): string {
  return `<section class="half"><h2>${escapeXml(title)}</h2>${plot}</section>`
}

/** What a reader has to know about the part above it. */
export function note(text: string): string {
  return `<p class="note">${escapeXml(text)}</p>`
}

/** A cell's lines below the first are set small. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const header = head.some((name) => name !== '')
    ? `<tr>${head.map((name) => `<th>${cellOf(name)}</th>`).join('')}</tr>`
    : ''
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cellOf(cell)}</td>`).join('')}</tr>`)
  return `<div class="wide" tabindex="0"><table>${header}${body.join('')}</table></div>`
}

function cellOf(text: string): string {
  const [first = '', ...more] = text.split('\n').map(escapeXml)
  return first + more.map((line) => `<small>${line}</small>`).join('')
}

export function seconds(value: number): string {
  const ms = Math.round(value * 1000)
  return ms === 0 ? '0s' : formatDuration(ms)
}

export function span(ms: number): string {
  return ms === 0 ? '0' : formatDuration(Math.round(ms))
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}\u00a0%`
}

/** With narrow spaces, at which no line breaks, between the thousands; small broken numbers keep two digits. */
export function whole(value: number): string {
  const digits = Math.abs(value) < 10 && !Number.isInteger(value) ? value.toFixed(2) : value.toFixed(0)
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f')
}

/** For the ticks of plots. */
export function short(value: number): string {
  if (value >= 1e6) return `${trim(value / 1e6)}M`
  if (value >= 1e4) return `${trim(value / 1e3)}k`
  return trim(value)
}

function trim(value: number): string {
  return value >= 100 ? value.toFixed(0) : `${Number(value.toPrecision(3))}`
}
