import { isGenerated, isTest, type Rule } from '../project.ts'

const LINES = 400

/** A file holds one concept, and 400 lines at most; tests and generated files may be longer. */
export const fileSize: Rule = ({ modules }) =>
  modules
    .filter(({ path }) => !isTest(path) && !isGenerated(path))
    .flatMap(({ path, text }) => {
      const lines = text.split('\n').length - 1
      return lines <= LINES
        ? []
        : [{ path, line: LINES, message: `${lines} lines (at most ${LINES}); split it by concept` }]
    })
