/** How the GPUs and network cards of a machine are joined, as `nvidia-smi topo -m` shows it. */
export interface TopologyMatrix {
  readonly gpus: readonly string[]
  readonly nics: readonly string[]
  /** From GPU to GPU or network card: `NV18`, `PIX`, `PXB`, `PHB`, `NODE`, `SYS`, by both names. */
  readonly links: ReadonlyMap<string, ReadonlyMap<string, string>>
}

/** The matrix in the output of `nvidia-smi topo -m`. Network cards carry their device name where the legend gives one. */
export function parseTopologyMatrix(text: string): TopologyMatrix {
  // Headings are underlined on terminals by escape sequences, which some versions write to files too.
  const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g')
  const lines = text.replace(escapes, '').split('\n')
  const legend = new Map(
    lines.flatMap((line) => {
      const [, nic, device] = /^\s*(NIC\d+): (\S+)/.exec(line) ?? []
      return nic !== undefined && device !== undefined ? [[nic, device] as const] : []
    }),
  )
  const nameOf = (column: string) => legend.get(column) ?? column
  const head = lines.findIndex((line) => /^\s+GPU0\b/.test(line))
  const columns = (lines[head] ?? '')
    .split('\t')
    .map((cell) => cell.trim())
    .filter((cell) => /^(?:GPU\d+|NIC\d+|mlx\d+_\w+|ib\w+|rocep\w+)$/.test(cell))
  const links = new Map<string, ReadonlyMap<string, string>>()
  for (const line of lines.slice(head + 1)) {
    const [row = '', ...cells] = line.split('\t').map((cell) => cell.trim())
    if (!columns.includes(row)) continue
    links.set(
      nameOf(row),
      new Map(columns.map((column, index) => [nameOf(column), cells[index] ?? ''] as const)),
    )
  }
  const isGpu = (column: string) => column.startsWith('GPU')
  return {
    gpus: columns.filter(isGpu),
    nics: columns.filter((column) => !isGpu(column)).map(nameOf),
    links,
  }
}
