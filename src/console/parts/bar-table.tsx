export interface Bar {
  readonly name: string
  /** A word after the name. */
  readonly note?: string
  /** Its colour, in `style/work.css`. */
  readonly tone?: 'memory' | 'network' | 'lost' | 'idle' | undefined
  readonly value: number
  readonly text: string
}

interface Props {
  readonly caption: string
  readonly columns: readonly [string, string, string]
  readonly bars: readonly Bar[]
  /** What the whole length stands for; the largest value when left out. */
  readonly most?: number
}

/** Values as bars, each in a row with its name and its number: the plot is its own table. */
export function BarTable({ caption, columns, bars, most }: Props) {
  const whole = Math.max(most ?? 0, ...bars.map(({ value }) => value)) || 1
  return (
    <table class="bars">
      <caption class="hidden">{caption}</caption>
      <thead class="hidden">
        <tr>
          {columns.map((title) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {bars.map(({ name, note, tone, value, text }) => (
          <tr key={name}>
            <td>
              {name} {note && <span class="muted">({note})</span>}
            </td>
            <td>
              <div class="bar" aria-hidden="true">
                <span data-tone={tone} style={{ width: `${(value / whole) * 100}%` }} />
              </div>
            </td>
            <td class="number">{text}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
