import type { ComponentChildren } from 'preact'

export interface Column<Row> {
  readonly title: string
  readonly isNumber?: boolean
  /** Stays on one line. */
  readonly isTight?: boolean
  /** Left out where the page is narrow. */
  readonly isExtra?: boolean
  readonly cell: (row: Row) => ComponentChildren
}

interface Props<Row> {
  readonly caption: string
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  readonly keyOf: (row: Row) => string
}

/** Rows of some hundred at most; longer ones come page by page. */
export function DataTable<Row>({ caption, rows, columns, keyOf }: Props<Row>) {
  return (
    <section class="card table" aria-label={caption} ref={makeReachable}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" class={classOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <td key={column.title} class={classOf(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** What scrolls sideways where the page is narrow must be reachable by key. */
function makeReachable(box: HTMLElement | null): void {
  if (box) box.tabIndex = 0
}

function classOf<Row>({ isNumber, isTight, isExtra }: Column<Row>): string {
  return [isNumber && 'number', isTight && 'tight', isExtra && 'extra'].filter(Boolean).join(' ')
}
