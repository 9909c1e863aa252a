import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

interface Column<Row> {
  readonly title: string
  readonly isNumber?: boolean
  readonly cell: (row: Row) => ComponentChildren
}

interface Props<Row> {
  readonly caption: string
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  readonly keyOf: (row: Row) => string
}

const ROW_HEIGHT = 34
const VIEW_HEIGHT = 420
const BEYOND = 8

/** A table of any length: only the rows that can be seen are in the page, all of them are counted. */
export function WindowedTable<Row>({ caption, rows, columns, keyOf }: Props<Row>) {
  const [top, setTop] = useState(0)
  const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - BEYOND)
  const last = Math.min(rows.length, Math.ceil((top + VIEW_HEIGHT) / ROW_HEIGHT) + BEYOND)
  return (
    <section
      class="card table windowed"
      aria-label={caption}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      <table aria-rowcount={rows.length + 1}>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, isNumber }) => (
              <th key={title} scope="col" class={isNumber ? 'number' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && (
            <tr>
              <td colSpan={columns.length} style={{ height: `${first * ROW_HEIGHT}px`, padding: '0' }} />
            </tr>
          )}
          {rows.slice(first, last).map((row, index) => (
            <tr key={keyOf(row)} aria-rowindex={first + index + 2}>
              {columns.map(({ title, isNumber, cell }) => (
                <td key={title} class={isNumber ? 'number' : ''}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {last < rows.length && (
            <tr>
              <td
                colSpan={columns.length}
                style={{ height: `${(rows.length - last) * ROW_HEIGHT}px`, padding: '0' }}
              />
            </tr>
          )}
        </tbody>
      </table>
    </section>
  )
}
