import { type Finding, lineAt, type Project, type Rule } from '../project.ts'

const MARK = /\b(TODO|FIXME|XXX|HACK)\b/
const MESSAGE = 'an unfinished thought; finish it, or file an issue and delete the comment'

/** No comment and no document puts work off. */
export const leftovers: Rule = (project) => [...inCode(project), ...inOtherTexts(project)]

function inCode({ modules }: Project): Finding[] {
  return modules.flatMap(({ path, text, syntax }) =>
    syntax.comments
      .filter((comment) => MARK.test(comment.text))
      .map(({ offset }) => ({ path, line: lineAt(text, offset), message: MESSAGE })),
  )
}

function inOtherTexts({ texts }: Project): Finding[] {
  return [...texts]
    .filter(([path]) => /\.(md|sql|py|sh|ya?ml|css|html)$/.test(path))
    .flatMap(([path, text]) =>
      text
        .split('\n')
        .flatMap((line, index) => (MARK.test(line) ? [{ path, line: index + 1, message: MESSAGE }] : [])),
    )
}
