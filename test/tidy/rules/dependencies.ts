import { type Finding, manifestOf, type Project, type Rule } from '../project.ts'

const DOCUMENT = 'docs/dependencies.md'

/** Each dependency is pinned, and its line in docs/dependencies.md gives that version; no line outlives its package. */
export const dependencyLines: Rule = (project) => {
  const { dependencies, devDependencies } = manifestOf(project)
  const wanted = { ...dependencies, ...devDependencies }
  const lines = documentLines(project)
  return [
    ...Object.entries(wanted).flatMap(([name, version]) => lineFindings(name, version, lines)),
    ...[...lines]
      .filter(([name]) => !Object.hasOwn(wanted, name))
      .map(([name, { line }]) => ({
        path: DOCUMENT,
        line,
        message: `${name} is not in package.json; delete its line`,
      })),
  ]
}

interface DocumentLine {
  readonly version: string
  readonly line: number
}

function documentLines({ texts }: Project): Map<string, DocumentLine> {
  const rows = (texts.get(DOCUMENT) ?? '').split('\n').map((text, index) => ({ text, line: index + 1 }))
  return new Map(
    rows.flatMap(({ text, line }) => {
      const [, name, version] = text.split('|').map((cell) => cell.trim())
      return name && version && /\d/.test(version) ? [[name, { version, line }] as const] : []
    }),
  )
}

function lineFindings(name: string, version: string, lines: Map<string, DocumentLine>): Finding[] {
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
    return [
      {
        path: 'package.json',
        line: 1,
        message: `${name} ${version} is not an exact version; use npm install --save-exact`,
      },
    ]
  }
  const documented = lines.get(name)
  if (!documented) {
    return [
      {
        path: DOCUMENT,
        line: 1,
        message: `${name} ${version} has no line; say what for, what instead, and its weight`,
      },
    ]
  }
  if (documented.version === version) return []
  return [
    {
      path: DOCUMENT,
      line: documented.line,
      message: `${name} is ${version} in package.json, here ${documented.version}`,
    },
  ]
}

/** The lockfile names no host, so that any registry can serve it, and no package that users get runs a script. */
export const lockfile: Rule = (project) => {
  const packages = Object.entries(lockedPackages(project))
  return packages.flatMap(([name, { resolved, hasInstallScript, dev }]) => {
    const path = 'package-lock.json'
    if (resolved !== undefined && /^\w+:\/\//.test(resolved)) {
      const message = `${name} is tied to one address; run npm install with omit-lockfile-registry-resolved=true`
      return [{ path, line: 1, message }]
    }
    if (hasInstallScript && !dev) {
      return [
        { path, line: 1, message: `${name} runs an install script at its user's; choose another package` },
      ]
    }
    return []
  })
}

interface LockedPackage {
  readonly resolved?: string
  readonly hasInstallScript?: boolean
  readonly dev?: boolean
}

function lockedPackages({ texts }: Project): Readonly<Record<string, LockedPackage>> {
  return JSON.parse(texts.get('package-lock.json') ?? '{"packages":{}}').packages
}
