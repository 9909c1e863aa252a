import { ok, type Result, refuse } from '../../base/index.ts'

/** A text of separated columns: the names in its first line, and a reader of the cells below. */
export interface Table {
  /** Lower case, in the file's order. */
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
}

export interface Row {
  /** From 1, counting the header. */
  readonly line: number
  readonly cells: readonly string[]
}

/**
 * The rows of a text with a header line, fields separated by `separator`. A field in double quotes may hold the
 * separator, and a doubled quote for one. Empty lines are skipped; a row with another number of fields than the
 * header is refused with its line.
 */
export function readTable(text: string, separator: ',' | '|'): Result<Table, string> {
  const lines = text.split(/\r?\n/)
  const header = lines[0]?.replace(/^\uFEFF/, '') ?? ''
  if (header.trim() === '') return refuse('line 1: expected the names of the columns, found nothing')
  if (header.includes('\0'))
    return refuse('line 1: this is not a text; expected columns of text, gzipped or not')
  const columns = split(header, separator).map((name) => name.trim().toLowerCase())
  const rows: Row[] = []
  for (let i = 1; i < lines.length; i++) {
    const text = lines[i]!
    if (text === '') continue
    const cells = split(text, separator)
    if (cells.length !== columns.length) {
      return refuse(`line ${i + 1}: ${cells.length} fields, but the header names ${columns.length}`)
    }
    rows.push({ line: i + 1, cells })
  }
  return ok({ columns, rows })
}

const OTHER_SEPARATORS = { ';': 'semicolons', '\t': 'tabs', '|': 'bars' } as const

/** What is wrong with a table that has no such column. */
export function noColumn({ columns }: Table, name: string, needed: readonly string[]): string {
  const [only = ''] = columns
  const separator = Object.keys(OTHER_SEPARATORS).find((each) => columns.length === 1 && only.includes(each))
  if (separator !== undefined)
    return `line 1: the fields are separated by ${OTHER_SEPARATORS[separator as keyof typeof OTHER_SEPARATORS]}; separate them by commas`
  return `line 1: no column "${name}"; it needs ${needed.join(', ')}, and the columns are ${columns.join(', ')}`
}

/** The index of the first of these names that the table has, or -1. */
export function columnOf(table: Table, ...names: readonly string[]): number {
  return table.columns.findIndex((column) => names.includes(column))
}

function split(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator)
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!
    if (quoted) {
      if (character !== '"') cell += character
      else if (line[i + 1] === '"') {
        cell += '"'
        i++
      } else quoted = false
    } else if (character === '"' && cell === '') quoted = true
    else if (character === separator) {
      cells.push(cell)
      cell = ''
    } else cell += character
  }
  return [...cells, cell]
}
