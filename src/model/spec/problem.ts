/** One fault of a spec: where it stands, which field, what was found and what is allowed. */
export interface SpecProblem {
  readonly file: string
  /** From 1; absent for a value that did not come from the file, such as `--set`. */
  readonly line?: number
  /** From 1. */
  readonly column?: number
  /** Path of the field: `topology.within.level`, `run[2]`; empty for the whole file. */
  readonly field: string
  readonly message: string
}

/** `train.yaml:7:12: topology.within.level: ...`, as compilers write it, so that editors can jump there. */
export function formatSpecProblem({ file, line, column, field, message }: SpecProblem): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`
  return field === '' ? `${place}: ${message}` : `${place}: ${field}: ${message}`
}
