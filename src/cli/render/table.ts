import { stripVTControlCharacters } from 'node:util'
import Table from 'cli-table3'
import type { Cli } from '../cli.ts'
import { BORDERLESS } from './borderless.ts'

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  readonly align?: 'right'
  /** Gives up width, down to this, when the line is too long; the last such column gives first. */
  readonly shrinksTo?: number
}

const GAP = 2

/** Rows under titles, fitted to the terminal; `--wide` lets them run on. */
export function renderTable<Row>(cli: Cli, columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => oneLine(column.cell(row))))
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...cells.map((line) => visibleLength(line[index] ?? ''))),
  )
  if (!cli.options.wide) shrink(widths, columns, cli.io.columns)
  const table = new Table({
    head: columns.map(({ title }) => cli.paint.dim(title)),
    chars: { ...BORDERLESS, middle: '' },
    colWidths: widths.map((width) => width + GAP),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': GAP },
    truncate: '…',
  })
  table.push(...cells.map((line) => [...line]))
  return trimLines(table.toString())
}

function shrink<Row>(widths: number[], columns: readonly Column<Row>[], available: number): void {
  const total = () => widths.reduce((sum, width) => sum + width, 0) + GAP * (widths.length - 1)
  for (let index = columns.length - 1; index >= 0; index--) {
    const least = columns[index]?.shrinksTo
    const excess = total() - available
    if (least !== undefined && excess > 0) widths[index] = Math.max(least, widths[index]! - excess)
  }
}

export function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ')
}

function trimLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** `label   value` lines, values in one column; pairs without a value are left out. */
export function renderPairs(
  cli: Cli,
  pairs: readonly (readonly [label: string, value: string | undefined])[],
): string {
  const present = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '')
  const width = Math.max(0, ...present.map(([label]) => label.length)) + GAP
  return present.map(([label, value]) => `${cli.paint.dim(label.padEnd(width))}${value}`).join('\n')
}
