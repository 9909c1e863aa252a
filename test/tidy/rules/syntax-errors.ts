import type { Rule } from '../project.ts'

/** Every file parses, so that no other rule is blind to it. */
export const syntaxErrors: Rule = ({ modules }) =>
  modules.flatMap(({ path, syntax }) => syntax.errors.map((message) => ({ path, line: 1, message })))
