import type { Rule } from '../project.ts'

const SHOUTED = new Set(['README.md', 'SPEC.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'])
const NAMED_BY_US = /\.(ts|tsx|mts|js|mjs|sql|css|html|md|json|ya?ml|sh)$/
const KEBAB_CASE = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$/
const DRAWER = /(^|[-.])(utils?|helpers?|common|misc)(?=[-.]|$)/

/** Files are kebab-case nouns, and none is a drawer for whatever has no name. Recorded fixtures keep their names. */
export const fileNames: Rule = ({ texts }) =>
  [...texts.keys()]
    .filter((path) => !path.includes('/fixtures/'))
    .flatMap((path) => {
      const message = objection(path)
      return message === undefined ? [] : [{ path, line: 1, message }]
    })

function objection(path: string): string | undefined {
  const parts = path.split('/')
  const drawer = parts.find((part) => DRAWER.test(part))
  if (drawer !== undefined) return `"${drawer}" says nothing; name the file after the one concept in it`
  const name = parts.at(-1) ?? ''
  if (!NAMED_BY_US.test(name) || SHOUTED.has(name) || KEBAB_CASE.test(name)) return undefined
  return `"${name}" is not kebab-case; write for example failure-class.ts`
}
