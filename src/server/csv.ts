/** Lines of CSV (RFC 4180). Text that a spreadsheet would take for a formula gets an apostrophe before it. */
export function csv(rows: Iterable<readonly (string | number)[]>): string {
  let text = ''
  for (const row of rows) text += `${row.map(cell).join(',')}\r\n`
  return text
}

function cell(value: string | number): string {
  if (typeof value === 'number') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
