import { posix } from 'node:path'
import type { Finding, Project, Rule } from '../project.ts'

/** No file reaches itself again through its imports, types included: one of them holds two concepts. */
export const importCycles: Rule = (project) => {
  const graph = importGraph(project)
  const done = new Set<string>()
  const trail: string[] = []
  const found: Finding[] = []
  const visit = (path: string) => {
    const again = trail.indexOf(path)
    if (again !== -1) found.push(cycleFinding([...trail.slice(again), path]))
    if (again !== -1 || done.has(path)) return
    trail.push(path)
    for (const target of graph.get(path) ?? []) visit(target)
    trail.pop()
    done.add(path)
  }
  for (const path of graph.keys()) visit(path)
  return found
}

function importGraph({ modules, texts }: Project): Map<string, string[]> {
  return new Map(
    modules.map(({ path, syntax }) => [
      path,
      syntax.imports
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => posix.join(posix.dirname(path), specifier))
        .filter((target) => texts.has(target)),
    ]),
  )
}

function cycleFinding(cycle: readonly string[]): Finding {
  const message = `import cycle ${cycle.join(' -> ')}; move what both sides need into a file of its own`
  return { path: cycle[0] ?? '', line: 1, message }
}
