import Table from 'cli-table3'

type Cell = string | number

/**
 * A table without colours and with one rule, under the titles, so that it reads the same in a terminal, a file and a
 * pipe. Columns of figures stand to the right.
 */
export function benchTable(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const table = new Table({
    head: [...titles],
    colAligns: titles.map((_, column) => (rows.every((row) => isFigure(row[column])) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  })
  table.push(...rows.map((row) => [...row]))
  return table.toString()
}

function isFigure(cell: Cell | undefined): boolean {
  return typeof cell !== 'string' || /^(-?\d.*)?$/.test(cell)
}
