import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  Lexer,
  LineCounter,
  type Node,
  parseAllDocuments,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml'
import { Place, placeOf, type Source } from './place.ts'
import type { SpecProblem } from './problem.ts'

const LARGEST_BYTES = 2 ** 20
const MOST_ALIASES = 100
const DEEPEST = 32
const WIDEST_INDENT = 200
const MOST_TOKENS = 20_000
/** The lexer's mark before the text of a scalar. */
const SCALAR_FOLLOWS = '\u001f'

/** The top of a YAML text, with everything that is wrong with it as YAML in `problems`. */
export interface YamlSpec {
  readonly source: Source
  /** Absent when the text cannot be read further. */
  readonly top?: Place
}

/** Reads one mapping from the text; `set` puts values into it, path to YAML text; `begins` says what one of its kind begins with. Never throws on any text. */
export function readYaml(
  text: string,
  file: string,
  set: Readonly<Record<string, string>>,
  begins = '`type:` and `name:`',
): YamlSpec {
  const lines = new LineCounter()
  const source = {
    file,
    lines,
    anchors: new Map<string, Node>(),
    overrides: new Map(),
    problems: [] as SpecProblem[],
  }
  const refuse = (message: string, offset = 0): YamlSpec => {
    source.problems.push({ ...placeOf(source, { range: [offset] }), field: '', message })
    return { source }
  }
  if (text.length > LARGEST_BYTES)
    return refuse(`is larger than 1 MiB (${text.length} characters), which no spec needs`)
  const excess = excessOf(text)
  if (excess) return refuse(excess)
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const [document, second] = documents
  if (!document || !('contents' in document)) return refuse(`is empty; it begins with ${begins}`)
  for (const error of documents.flatMap((each) => [...each.errors, ...each.warnings])) {
    refuse(inWords(error), error.pos[0])
  }
  if (second)
    return refuse(
      `holds ${documents.length} documents; put each workload into a file of its own`,
      second.range[0],
    )
  const broken = document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')
  if (broken) return { source }
  if (document.contents === null) return refuse(`is empty; it begins with ${begins}`)
  if (!isMap(document.contents)) {
    new Place(source, '', document.contents).expected(`a mapping that begins with ${begins}`)
    return { source }
  }
  const fault = collectAnchors(document, source.anchors)
  if (fault) return refuse(fault.message, fault.offset)
  for (const [path, value] of Object.entries(set)) override(document, source, path, value)
  return { source, top: new Place(source, '', document.contents) }
}

/** Anchors by name, and a fault for texts that are built to blow up. */
function collectAnchors(
  document: Document,
  anchors: Map<string, Node>,
): { message: string; offset: number } | undefined {
  let aliases = 0
  let fault: { message: string; offset: number } | undefined
  visit(document, {
    Node: (_, node, ancestors) => {
      const offset = node.range?.[0] ?? 0
      if (ancestors.length > 2 * DEEPEST) fault = { message: 'is nested too deep for a spec', offset }
      if (isAlias(node)) {
        if (++aliases > MOST_ALIASES) fault = { message: `uses more than ${MOST_ALIASES} aliases`, offset }
        const target = anchors.get(node.source)
        if (!target) fault = { message: `the alias *${node.source} stands before its anchor`, offset }
        else if (ancestors.includes(target))
          fault = { message: `the alias *${node.source} holds itself`, offset }
      } else if ((isScalar(node) || isCollection(node)) && node.anchor) anchors.set(node.anchor, node)
      return fault ? visit.BREAK : undefined
    },
  })
  return fault
}

function override(document: Document, source: Source, path: string, text: string): void {
  const from = `--set ${path}`
  const fail = (message: string) => source.problems.push({ file: from, field: path, message })
  const excess = text.length > LARGEST_BYTES ? 'is larger than 1 MiB' : excessOf(text)
  if (excess) return void fail(excess)
  const value = parseDocument(text, { prettyErrors: false })
  if (value.errors[0]) return void fail(`"${text}" is not a YAML value: ${inWords(value.errors[0])}`)
  visit(value, { Node: (_, node) => void source.overrides.set(node, from) })
  try {
    document.setIn(path.split('.'), value.contents)
  } catch {
    return void fail('cannot be set: what stands above it is not a mapping')
  }
  markKey(document, source, path.split('.'), from)
}

/** A key that `setIn` made has no place in the file: complaints about it name the override. */
function markKey(document: Document, source: Source, path: readonly string[], from: string): void {
  let node: unknown = document.contents
  for (const name of path) {
    const pair = isMap(node)
      ? node.items.find(({ key }) => (isScalar(key) ? key.value : key) === name)
      : undefined
    if (!pair) return
    const key = isNode(pair.key) ? pair.key : document.createNode(name)
    pair.key = key
    if (!key.range) source.overrides.set(key, from)
    node = pair.value
  }
}

/**
 * Why the text is not worth parsing, judged by its tokens alone: parsing costs time for each token and stack for each
 * level, and a text can be built to cost much of both.
 */
function excessOf(text: string): string | undefined {
  let tokens = 0
  let brackets = 0
  let dashes = 0
  let isContent = false
  for (const token of new Lexer().lex(text)) {
    if (++tokens > MOST_TOKENS) return `has more than ${MOST_TOKENS} parts, which no spec needs`
    if (isContent) {
      isContent = false
      continue
    }
    if (token === SCALAR_FOLLOWS) isContent = true
    else if (token === '[' || token === '{') brackets++
    else if (token === ']' || token === '}') brackets--
    else if (token === '-' || token === '?') dashes++
    else if (token === '\n' || token === '\r\n') dashes = 0
    else if (token.length > WIDEST_INDENT && token.trim() === '') dashes = Number.POSITIVE_INFINITY
    if (brackets > DEEPEST || dashes > DEEPEST)
      return `is nested more than ${DEEPEST} deep, which no spec needs`
  }
  return undefined
}

const PLAINER: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab indents this line; YAML wants spaces',
  DUPLICATE_KEY: 'this field stands twice in the same mapping; keep one',
  MULTILINE_IMPLICIT_KEY: 'a field name reaches over two lines; is a ":" or a quote missing?',
  MISSING_CHAR: 'something is missing before here: a closing quote, a bracket or a ":"',
  BAD_INDENT: 'is indented differently from the lines that it belongs to',
  TAG_RESOLVE_FAILED: 'this tag (!) is not understood; leave it out',
}

function inWords({ code, message }: YAMLError): string {
  // The parser gives an unclosed bracket the code of an indentation.
  if (code === 'BAD_INDENT' && message.startsWith('Flow '))
    return 'a bracket that was opened before here is not closed'
  return PLAINER[code] ?? `is not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`
}
