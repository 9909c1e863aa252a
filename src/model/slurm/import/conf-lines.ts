/** One line of slurm.conf or gres.conf: its settings by lower-case name, with their values. */
export interface ConfLine {
  readonly number: number
  readonly settings: ReadonlyMap<string, string>
}

/** The settings of a file of Slurm's `Key=Value` form; lines that end in `\` go on in the next. */
export function readConfLines(text: string): ConfLine[] {
  const lines: ConfLine[] = []
  let held = ''
  for (const [index, line] of text.split('\n').entries()) {
    const whole = held + line.replace(/(^|[^\\])#.*$/, '$1')
    if (whole.endsWith('\\')) {
      held = `${whole.slice(0, -1)} `
      continue
    }
    held = ''
    const found = [...whole.matchAll(/([A-Za-z]\w*)\s*=\s*("[^"]*"|\S+)/g)]
    if (found.length === 0) continue
    const settings = new Map(
      found.map(([, key = '', value = '']) => [key.toLowerCase(), value.replace(/^"|"$/g, '')]),
    )
    lines.push({ number: index + 1, settings })
  }
  return lines
}
