/** Plots as SVG text: the same data gives the same bytes, no script is needed, and they scale to a phone and to paper. */

export interface Line {
  readonly name: string
  readonly values: readonly number[]
}

export interface Axis {
  readonly label: string
  readonly format: (value: number) => string
}

const WIDTH = 720
const HEIGHT = 260
const LEFT = 62
const RIGHT = 12
const TOP = 14
const BOTTOM = 44
/** Distinct for people with any colour vision, and in grey (Okabe and Ito 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000']
const DASHES = ['', '6 3', '2 3', '8 3 2 3', '1 2', '10 4', '4 4']

/** Lines over evenly spaced positions from `from` to `to`. */
export function linePlot(
  lines: readonly Line[],
  across: Axis & { readonly from: number; readonly to: number },
  up: Axis,
): string {
  const top = niceTop(Math.max(1e-9, ...lines.flatMap(({ values }) => values)))
  const x = (i: number, count: number) => LEFT + ((WIDTH - LEFT - RIGHT) * (i + 0.5)) / Math.max(1, count)
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)
  const paths = lines.map(({ values }, l) => {
    const points = values.map((value, i) => `${x(i, values.length).toFixed(1)},${y(value).toFixed(1)}`)
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${COLOURS[l % COLOURS.length]}" stroke-width="1.6" stroke-dasharray="${DASHES[l % DASHES.length]}"/>`
  })
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = LEFT + (WIDTH - LEFT - RIGHT) * share
    return `<text x="${at.toFixed(1)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="${share === 0 ? 'start' : share === 1 ? 'end' : 'middle'}">${escapeXml(across.format(across.from + (across.to - across.from) * share))}</text>`
  })
  return frame([...gridAndLabels(top, up), ...ticks, axisName(across.label), ...paths], lines)
}

/** Groups of bars, one bar for each series in each group. */
export function barPlot(groups: readonly string[], bars: readonly Line[], across: string, up: Axis): string {
  const top = niceTop(Math.max(1e-9, ...bars.flatMap(({ values }) => values)))
  const slot = (WIDTH - LEFT - RIGHT) / Math.max(1, groups.length)
  const thick = (slot * 0.8) / Math.max(1, bars.length)
  const rects = bars.flatMap(({ values }, b) =>
    values.map((value, g) => {
      const height = ((HEIGHT - TOP - BOTTOM) * value) / top
      const x = LEFT + slot * (g + 0.1) + thick * b
      return `<rect x="${x.toFixed(1)}" y="${(HEIGHT - BOTTOM - height).toFixed(1)}" width="${(thick * 0.92).toFixed(1)}" height="${height.toFixed(1)}" fill="${COLOURS[b % COLOURS.length]}"/>`
    }),
  )
  const names = groups.map(
    (name, g) =>
      `<text x="${(LEFT + slot * (g + 0.5)).toFixed(1)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escapeXml(name)}</text>`,
  )
  return frame([...gridAndLabels(top, up), ...names, axisName(across), ...rects], bars)
}

export function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}

function frame(parts: readonly string[], lines: readonly Line[]): string {
  const legend = lines.map(
    ({ name }, l) =>
      `<span><svg width="26" height="10" aria-hidden="true"><line x1="0" y1="5" x2="26" y2="5" stroke="${COLOURS[l % COLOURS.length]}" stroke-width="3" stroke-dasharray="${DASHES[l % DASHES.length]}"/></svg> ${escapeXml(name)}</span>`,
  )
  return `<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">${parts.join('')}</svg><p class="legend">${legend.join(' ')}</p>`
}

function gridAndLabels(top: number, up: Axis): string[] {
  const rows = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = (TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)).toFixed(1)
    return `<line x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}" class="grid"/><text x="${LEFT - 6}" y="${y}" dy="4" text-anchor="end">${escapeXml(up.format(top * share))}</text>`
  })
  return [...rows, `<text x="${LEFT}" y="10">${escapeXml(up.label)}</text>`]
}

function axisName(label: string): string {
  return `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeXml(label)}</text>`
}

/** The next of 1, 2, 4, 5, 8 times a power of ten, so that the quarters are short numbers. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 4, 5, 8, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10
  return step * power
}
