import { useState } from 'preact/hooks'
import { compactText } from '../core/values.ts'
import { useWidth } from './use-width.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

interface Props {
  readonly title: string
  /** What stands at the axes. */
  readonly xName: string
  readonly yName: string
  readonly points: readonly Point[]
  readonly xText?: (x: number) => string
  readonly yText?: (y: number) => string
  /** A level to compare with, and what it is. */
  readonly mark?: { readonly y: number; readonly name: string } | undefined
}

const HEIGHT = 150
const LEFT = 48
const BOTTOM = 20
const TOP = 8
const MOST_POINTS = 600
const TABLE_ROWS = 20

/** One line over time or steps: hover reads it, a table behind it has the numbers. */
export function LinePlot({
  title,
  xName,
  yName,
  points: all,
  xText = compactText,
  yText = compactText,
  mark,
}: Props) {
  const [frame, width] = useWidth()
  const [at, setAt] = useState<number>()
  const points = thinned(all, MOST_POINTS)
  const [low, high] = rangeOf([...points.map(({ y }) => y), ...(mark ? [mark.y] : [])])
  const firstX = points[0]?.x ?? 0
  const lastX = points.at(-1)?.x ?? 1
  const px = (x: number) => LEFT + ((x - firstX) / Math.max(lastX - firstX, 1e-9)) * (width - LEFT - 8)
  const py = (y: number) => TOP + (1 - (y - low) / (high - low)) * (HEIGHT - TOP - BOTTOM)
  const ticks = [low, (low + high) / 2, high]
  const pointed = at === undefined ? undefined : points[at]
  return (
    <figure class="plot" ref={frame}>
      <figcaption>
        <h3>{title}</h3>
      </figcaption>
      <svg
        role="img"
        aria-label={`${title}: ${points.length} points from ${yText(points[0]?.y ?? 0)} to ${yText(points.at(-1)?.y ?? 0)}`}
        height={HEIGHT}
        viewBox={`0 0 ${width} ${HEIGHT}`}
        onPointerMove={(event) => {
          const x = event.clientX - event.currentTarget.getBoundingClientRect().left
          setAt(nearest(points, (point) => px(point.x), x))
        }}
        onPointerLeave={() => setAt(undefined)}
      >
        {ticks.map((y) => (
          <g key={y}>
            <line class="grid" x1={LEFT} x2={width - 8} y1={py(y)} y2={py(y)} />
            <text x={LEFT - 6} y={py(y) + 4} text-anchor="end">
              {yText(y)}
            </text>
          </g>
        ))}
        <text x={LEFT} y={HEIGHT - 4}>
          {xText(firstX)}
        </text>
        <text x={width - 8} y={HEIGHT - 4} text-anchor="end">
          {xText(lastX)} {xName}
        </text>
        {mark && (
          <line class="mark" x1={LEFT} x2={width - 8} y1={py(mark.y)} y2={py(mark.y)}>
            <title>{mark.name}</title>
          </line>
        )}
        <path
          class="series"
          d={points
            .map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${px(x).toFixed(1)} ${py(y).toFixed(1)}`)
            .join('')}
        />
        {pointed && <circle cx={px(pointed.x)} cy={py(pointed.y)} r="3.5" />}
      </svg>
      {pointed && (
        <div class="plot-tip" style={{ left: `${Math.min(px(pointed.x) + 8, width - 150)}px` }}>
          {yText(pointed.y)} {yName} at {xText(pointed.x)} {xName}
        </div>
      )}
      <details>
        <summary>Numbers</summary>
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">
                {xName}
              </th>
              <th scope="col" class="number">
                {yName}
              </th>
            </tr>
          </thead>
          <tbody>
            {thinned(all, TABLE_ROWS).map(({ x, y }) => (
              <tr key={x}>
                <td class="number">{xText(x)}</td>
                <td class="number">{yText(y)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}

/** At most so many points, evenly chosen, the last among them. */
function thinned(points: readonly Point[], most: number): readonly Point[] {
  if (points.length <= most) return points
  return Array.from({ length: most }, (_, i) => points[Math.round((i * (points.length - 1)) / (most - 1))]!)
}

function rangeOf(values: readonly number[]): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const value of values) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  if (low > high) return [0, 1]
  const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room]
}

function nearest(points: readonly Point[], place: (point: Point) => number, x: number): number | undefined {
  let best: number | undefined
  let distance = Number.POSITIVE_INFINITY
  for (const [index, point] of points.entries()) {
    const off = Math.abs(place(point) - x)
    if (off < distance) {
      distance = off
      best = index
    }
  }
  return best
}
