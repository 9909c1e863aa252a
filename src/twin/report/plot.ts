/** Plots as SVG text: the same data gives the same bytes, no script is needed, and they scale to a phone and to paper. */

export interface Line {
  readonly name: string
  readonly values: readonly number[]
}

export interface Axis {
  readonly label: string
  readonly format: (value: number) => string
}

const WIDTH = 420
const HEIGHT = 210
const LEFT = 44
const RIGHT = 10
const TOP = 20
const BOTTOM = 38
/** Of names that stand aslant. */
const SLANT_BOTTOM = 62
/** Of a letter, in the mean. */
const LETTER = 6
const LONGEST_NAME = 12
/** Distinct for people with any colour vision, and in grey (Okabe and Ito 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000']
const DASHES = ['', '6 3', '2 3', '8 3 2 3', '1 2', '10 4', '4 4']

/** No two of 49 lines have the colour and the dashes in common. */
function dashOf(line: number): string {
  return DASHES[(line + Math.floor(line / COLOURS.length)) % DASHES.length]!
}

/** Lines over evenly spaced positions from `from` to `to`. */
export function linePlot(
  lines: readonly Line[],
  across: Axis & { readonly from: number; readonly to: number },
  up: Axis,
): string {
  const top = topOf(lines)
  const x = (i: number, count: number) => LEFT + ((WIDTH - LEFT - RIGHT) * (i + 0.5)) / Math.max(1, count)
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)
  const paths = lines.map(({ values }, l) => {
    const points = values.map((value, i) => `${x(i, values.length).toFixed(1)},${y(value).toFixed(1)}`)
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${COLOURS[l % COLOURS.length]}" stroke-width="1.6" stroke-dasharray="${dashOf(l)}"/>`
  })
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = LEFT + (WIDTH - LEFT - RIGHT) * share
    return `<text x="${at.toFixed(1)}" y="${HEIGHT - BOTTOM + 15}" text-anchor="${share === 0 ? 'start' : share === 1 ? 'end' : 'middle'}">${escapeXml(across.format(across.from + (across.to - across.from) * share))}</text>`
  })
  return frame(
    [...gridAndLabels(top, up), ...ticks, axisName(across.label, HEIGHT), ...paths],
    lines.map(({ name }, l) => ({
      name,
      sign: `<line x1="0" y1="5" x2="26" y2="5" stroke="${COLOURS[l % COLOURS.length]}" stroke-width="3" stroke-dasharray="${dashOf(l)}"/>`,
    })),
    HEIGHT,
    `${up.label} over ${across.label}`,
  )
}

/** Groups of bars, one bar for each series in each group. */
export function barPlot(groups: readonly string[], bars: readonly Line[], across: string, up: Axis): string {
  const top = topOf(bars)
  const slot = (WIDTH - LEFT - RIGHT) / Math.max(1, groups.length)
  const thick = (slot * 0.8) / Math.max(1, bars.length)
  // Names that would run into each other stand aslant.
  const isTight = groups.some((name) => (name.length + 1) * LETTER > slot)
  const bottom = isTight ? SLANT_BOTTOM : BOTTOM
  const room = HEIGHT - TOP - BOTTOM
  const base = TOP + room
  const rects = bars.flatMap(({ values }, b) =>
    values.map((value, g) => {
      const height = (room * value) / top
      const x = LEFT + slot * (g + 0.1) + thick * b
      return `<rect x="${x.toFixed(1)}" y="${(base - height).toFixed(1)}" width="${(thick * 0.92).toFixed(1)}" height="${height.toFixed(1)}" fill="${COLOURS[b % COLOURS.length]}"/>`
    }),
  )
  const names = groups.map((name, g) => {
    const x = (LEFT + slot * (g + 0.5)).toFixed(1)
    const y = base + (isTight ? 10 : 15)
    const how = isTight ? `text-anchor="end" transform="rotate(-40 ${x} ${y})"` : 'text-anchor="middle"'
    return `<text x="${x}" y="${y}" ${how}>${escapeXml(shortened(name))}</text>`
  })
  return frame(
    [...gridAndLabels(top, up), ...names, axisName(across, base + bottom), ...rects],
    bars.map(({ name }, b) => ({
      name,
      sign: `<rect x="8" width="10" height="10" fill="${COLOURS[b % COLOURS.length]}"/>`,
    })),
    base + bottom,
    `${up.label} by ${across}`,
  )
}

function shortened(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}\u2026` : name
}

export function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}

/** The parts in a picture of this height, and below it what stands for whom where there are several. */
function frame(
  parts: readonly string[],
  keys: readonly { readonly name: string; readonly sign: string }[],
  height: number,
  label: string,
): string {
  const picture = `<svg class="plot" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeXml(label)}">${parts.join('')}</svg>`
  if (keys.length < 2) return picture
  const legend = keys.map(
    ({ name, sign }) =>
      `<span><svg width="26" height="10" aria-hidden="true">${sign}</svg> ${escapeXml(name)}</span>`,
  )
  return `${picture}<p class="legend">${legend.join(' ')}</p>`
}

function gridAndLabels(top: number, up: Axis): string[] {
  const rows = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = (TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)).toFixed(1)
    return `<line x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}" class="grid"/><text x="${LEFT - 6}" y="${y}" dy="4" text-anchor="end">${escapeXml(up.format(top * share))}</text>`
  })
  return [...rows, `<text x="${LEFT}" y="10">${escapeXml(up.label)}</text>`]
}

function axisName(label: string, height: number): string {
  return `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${height - 6}" text-anchor="middle">${escapeXml(label)}</text>`
}

/** The next of 1, 2, 4, 5, 8 times a power of ten, so that the quarters are short numbers. */
/** Above all values, and 1 where there is nothing. */
function topOf(lines: readonly Line[]): number {
  const most = Math.max(0, ...lines.flatMap(({ values }) => values))
  return most > 0 ? niceTop(most) : 1
}

function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 4, 5, 8, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10
  return step * power
}
