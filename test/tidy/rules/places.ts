import type { Rule } from '../project.ts'

const PLACES: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  {
    pattern: /(^|[^\w.])\/(work|farm|root)\//,
    instead: 'a path of one machine; write it relative to the repository or take it from the environment',
  },
  {
    pattern: /registry\.npmjs|debian\.org/,
    instead: "a registry's host; the user's own configuration names it",
  },
  { pattern: /\/tmp\/bash_jobs/, instead: 'a path of one machine; use os.tmpdir()' },
]

/** No file names a path of the machine it was written on, or the host of a package registry. */
export const places: Rule = ({ texts }) =>
  [...texts].flatMap(([path, text]) =>
    text.split('\n').flatMap((line, index) =>
      PLACES.filter(({ pattern }) => pattern.test(line)).map(({ instead }) => ({
        path,
        line: index + 1,
        message: instead,
      })),
    ),
  )
