/** The records of a CSV text by its header's names: quotes, doubled quotes and line breaks inside quotes are understood. */
export function parseCsv(text: string): Record<string, string>[] {
  const rows: string[][] = []
  let field = ''
  let row: string[] = []
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (quoted) {
      if (c !== '"') field += c
      else if (text[i + 1] === '"') {
        field += '"'
        i++
      } else quoted = false
    } else if (c === '"') quoted = true
    else if (c === ',') {
      row.push(field)
      field = ''
    } else if (c === '\n' || c === '\r') {
      if (c === '\r' && text[i + 1] === '\n') i++
      row.push(field)
      field = ''
      if (row.some((value) => value !== '')) rows.push(row)
      row = []
    } else field += c
  }
  row.push(field)
  if (row.some((value) => value !== '')) rows.push(row)
  const [header = [], ...records] = rows
  return records.map((values) => Object.fromEntries(header.map((name, i) => [name.trim(), values[i] ?? ''])))
}
