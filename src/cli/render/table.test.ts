import { describe, expect, test } from 'vitest'
import { Cli } from '../cli.ts'
import { aTerminal } from '../test-io.ts'
import { type Column, renderPairs, renderTable, visibleLength } from './table.ts'

interface Row {
  readonly id: string
  readonly count: string
  readonly text: string
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'COUNT', cell: ({ count }) => count, align: 'right' },
  { title: 'TEXT', cell: ({ text }) => text, shrinksTo: 8 },
]

const ROWS: readonly Row[] = [
  { id: 'w1', count: '1', text: 'short' },
  { id: 'w1000', count: '12', text: 'a text that does not fit into the width that there is' },
]

function cli(columns: number, options = {}, hasColour = false): Cli {
  return new Cli(aTerminal({ columns, hasColour }), options)
}

describe('a table', () => {
  test('stands in columns, numbers to the right, and cuts what may shrink', () => {
    expect(renderTable(cli(30), COLUMNS, ROWS).split('\n')).toEqual([
      'ID     COUNT  TEXT',
      'w1         1  short',
      'w1000     12  a text that doe…',
    ])
  })

  test('does not shrink a column below its least width', () => {
    const lines = renderTable(cli(10), COLUMNS, ROWS).split('\n')
    expect(lines[2]).toBe('w1000     12  a text …')
  })

  test('runs on under --wide', () => {
    expect(renderTable(cli(30, { wide: true }), COLUMNS, ROWS)).toContain(ROWS[1]!.text)
  })

  test('counts colour codes as nothing', () => {
    const painted = cli(30, {}, true)
    const coloured = renderTable(
      painted,
      COLUMNS.map((column) => ({ ...column, cell: (row: Row) => painted.paint.red(column.cell(row)) })),
      ROWS,
    )
    expect(coloured).toContain('\u001b[31m')
    expect(coloured.split('\n').map(visibleLength)).toEqual([18, 19, 30])
  })

  test('keeps a row on one line', () => {
    expect(
      renderTable(cli(80), COLUMNS, [{ id: 'w1', count: '1', text: 'one\n  two' }]).split('\n'),
    ).toHaveLength(2)
  })
})

test('pairs stand in two columns without those that have no value', () => {
  const pairs = [
    ['state', 'running'],
    ['checkpoint', undefined],
    ['name', ''],
    ['submitted', '12:00'],
  ] as const
  expect(renderPairs(cli(80), pairs)).toBe('state      running\nsubmitted  12:00')
})
