import { CliFailure } from '../failure.ts'

/** A column of a view: its title and what stands in it. */
export interface ViewColumn<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
}

interface Piece<Row> {
  readonly literal: string
  readonly column?: ViewColumn<Row>
  /** Characters; what is longer is cut, as Slurm does. Undefined: as long as it is. */
  readonly width?: number
  readonly toTheRight: boolean
}

/**
 * Lines of a view after a format such as `%.18i %.9P %j`, where `.` aligns to the right and the number is the
 * width; the first line has the titles unless `hasTitles` is false.
 */
export function formatView<Row>(
  format: string,
  columns: Readonly<Record<string, ViewColumn<Row>>>,
  rows: readonly Row[],
  hasTitles: boolean,
): string {
  const pieces = readFormat(format, columns)
  const line = (textOf: (column: ViewColumn<Row>) => string) =>
    pieces
      .map((piece) => piece.literal + (piece.column ? fitted(textOf(piece.column), piece) : ''))
      .join('')
      .trimEnd()
  const lines = rows.map((row) => line((column) => column.cell(row)))
  return (hasTitles ? [line(({ title }) => title), ...lines] : lines).join('\n')
}

function readFormat<Row>(format: string, columns: Readonly<Record<string, ViewColumn<Row>>>): Piece<Row>[] {
  const pieces: Piece<Row>[] = []
  let literal = ''
  for (const [text, point, width, letter] of format.matchAll(/%(\.?)(\d*)([A-Za-z%])|[\s\S]/g)) {
    if (letter === undefined || letter === '%') {
      literal += letter ?? text
      continue
    }
    const column = columns[letter]
    if (!column) {
      throw new CliFailure(
        'usage',
        `the format field %${letter} is not there`,
        `There are ${Object.entries(columns)
          .map(([name, { title }]) => `%${name} ${title}`)
          .join(', ')}.`,
      )
    }
    pieces.push({ literal, column, toTheRight: point === '.', ...(width ? { width: Number(width) } : {}) })
    literal = ''
  }
  return literal === '' ? pieces : [...pieces, { literal, toTheRight: false }]
}

function fitted<Row>(text: string, { width, toTheRight }: Piece<Row>): string {
  if (width === undefined) return text
  const cut = text.slice(0, width)
  return toTheRight ? cut.padStart(width) : cut.padEnd(width)
}

/** A local time as Slurm prints it: `2026-11-24T20:15:00`; `N/A` when there is none. */
export function slurmTime(at: number | undefined): string {
  if (at === undefined) return 'N/A'
  const date = new Date(at)
  const two = (number: number) => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
