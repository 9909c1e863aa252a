import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Syntax, syntaxOf } from './syntax.ts'

/** A fault that a rule found: where, and what to do about it. */
export interface Finding {
  readonly path: string
  readonly line: number
  readonly message: string
}

/** Everything that a rule may look at: paths from the repository's root with `/`, and text. */
export interface Project {
  readonly texts: ReadonlyMap<string, string>
  /** The parsed TypeScript and JavaScript files. */
  readonly modules: readonly Module[]
}

export interface Module {
  readonly path: string
  readonly text: string
  readonly syntax: Syntax
}

export type Rule = (project: Project) => Finding[]

/** A project of these files: the whole repository, or a few lines made up by a test. */
export function aProject(files: Readonly<Record<string, string>>): Project {
  const texts = new Map(Object.entries(files))
  const modules = [...texts]
    .filter(([path]) => /\.(ts|tsx|mts|js|mjs)$/.test(path))
    .map(([path, text]) => ({ path, text, syntax: syntaxOf(path, text) }))
  return { texts, modules }
}

/** The files that git tracks, and those it would track, so that a new file is judged before its commit. */
export function loadProject(root: string): Project {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  const paths = listed.split('\0').filter((path) => path !== '' && existsSync(join(root, path)))
  const files = paths.map((path) => [path, readFileSync(join(root, path), 'utf8')] as const)
  return aProject(Object.fromEntries(files.filter(([, text]) => !text.includes('\0'))))
}

export function isTest(path: string): boolean {
  return path.startsWith('test/') || /\.test\.tsx?$/.test(path)
}

export function isGenerated(path: string): boolean {
  return path.includes('.generated.')
}

export interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

export function manifestOf({ texts }: Project): Manifest {
  return { dependencies: {}, devDependencies: {}, ...JSON.parse(texts.get('package.json') ?? '{}') }
}

export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let i = text.indexOf('\n'); i !== -1 && i < offset; i = text.indexOf('\n', i + 1)) line++
  return line
}
