/** GPUs in a GRES of a node: `gpu:h100:8(S:0-1)`, `gpu:4`, `gpu:a100:2(IDX:0,3),shard:8`. */
export interface GpuGres {
  /** Slurm's type; empty where the site names none. */
  readonly type: string
  readonly count: number
}

/** All GPUs of the text, by type. A node has one model; where a site lists several, the first counts for its name. */
export function parseGpuGres(text: string): GpuGres | undefined {
  const found = [...text.matchAll(/(?:^|,)gpu(?::([^:(),]+))?:(\d+)(?:\([^)]*\))?/g)]
  const [first] = found
  if (!first) return undefined
  return { type: first[1] ?? '', count: found.reduce((sum, [, , count]) => sum + Number(count), 0) }
}

/** Memory of GPUs whose name leaves no doubt, in GiB. Source: NVIDIA's data sheets. */
const KNOWN_GIB: readonly (readonly [RegExp, number])[] = [
  [/gb300|b300/i, 288],
  [/gb200|b200/i, 192],
  [/h200/i, 141],
  [/gh200/i, 96],
  [/h100/i, 80],
  [/l40/i, 48],
  [/\bl4\b/i, 24],
  [/\bt4\b/i, 16],
]

/** Memory of one GPU in bytes; 0 when the type does not tell. A size in the name, as in `a100_80gb`, counts first. */
export function gpuMemoryBytes(type: string): number {
  const named = /(\d+)\s*gi?b(?![a-z0-9])/i.exec(type)?.[1]
  const gib = named !== undefined ? Number(named) : KNOWN_GIB.find(([name]) => name.test(type))?.[1]
  return (gib ?? 0) * 2 ** 30
}
