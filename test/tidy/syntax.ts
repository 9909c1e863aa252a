import { type Node, parseSync, visitorKeys } from 'oxc-parser'

export interface Import {
  readonly specifier: string
  readonly offset: number
}

/** A syntax node with the way that led to it. */
export interface Place {
  readonly node: Node
  readonly parent: Place | undefined
  /** The parent's property that holds the node. */
  readonly key: string
}

export interface Global extends Place {
  readonly name: string
}

/** What the rules ask of a file's text; strings and comments are told from code. */
export interface Syntax {
  /** Every module named by an import, an export from, a dynamic import or an import type. */
  readonly imports: readonly Import[]
  readonly places: readonly Place[]
  /** Names read here that the file declares nowhere: globals of the host. */
  readonly globals: readonly Global[]
  readonly comments: readonly { readonly text: string; readonly offset: number }[]
  readonly errors: readonly string[]
}

export function syntaxOf(path: string, text: string): Syntax {
  const parsed = parseSync(path, text)
  const places: Place[] = []
  walk({ node: parsed.program, parent: undefined, key: '' }, places)
  const declared = new Set(places.filter(declares).map(({ node }) => nameOf(node)))
  const globals = places
    .filter(reads)
    .map((place) => ({ ...place, name: nameOf(place.node) ?? '' }))
    .filter(({ name }) => !declared.has(name))
  return {
    imports: places.flatMap(({ node }) => importOf(node) ?? []),
    places,
    globals,
    comments: parsed.comments.map(({ value, start }) => ({ text: value, offset: start })),
    errors: parsed.errors.map(({ message }) => message),
  }
}

function walk(place: Place, into: Place[]): void {
  into.push(place)
  const { node } = place
  for (const key of visitorKeys[node.type] ?? []) {
    const child = (node as unknown as Record<string, Node | (Node | null)[] | null | undefined>)[key]
    for (const each of Array.isArray(child) ? child : [child]) {
      if (each) walk({ node: each, parent: place, key }, into)
    }
  }
}

function importOf(node: Node): Import | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType': {
      const { source } = node
      if (source?.type !== 'Literal' || typeof source.value !== 'string') return undefined
      return { specifier: source.value, offset: node.start }
    }
    default:
      return undefined
  }
}

function nameOf(node: Node): string | undefined {
  return node.type === 'Identifier' ? node.name : undefined
}

/** The properties in which an identifier is a declaration, by the parent's type. */
const DECLARING: Readonly<Record<string, readonly string[]>> = {
  VariableDeclarator: ['id'],
  FunctionDeclaration: ['id', 'params'],
  FunctionExpression: ['id', 'params'],
  ArrowFunctionExpression: ['params'],
  TSFunctionType: ['params'],
  TSMethodSignature: ['params'],
  TSCallSignatureDeclaration: ['params'],
  TSConstructorType: ['params'],
  TSConstructSignatureDeclaration: ['params'],
  TSDeclareFunction: ['id', 'params'],
  TSEmptyBodyFunctionExpression: ['params'],
  TSIndexSignature: ['parameters'],
  ClassDeclaration: ['id'],
  ClassExpression: ['id'],
  CatchClause: ['param'],
  ImportSpecifier: ['local'],
  ImportDefaultSpecifier: ['local'],
  ImportNamespaceSpecifier: ['local'],
  TSTypeAliasDeclaration: ['id'],
  TSInterfaceDeclaration: ['id'],
  TSTypeParameter: ['name'],
  TSMappedType: ['key'],
  ArrayPattern: ['elements'],
  RestElement: ['argument'],
  AssignmentPattern: ['left'],
}

/** The properties in which an identifier is only a label of its parent, unless it is computed. */
const LABELLING: Readonly<Record<string, readonly string[]>> = {
  MemberExpression: ['property'],
  Property: ['key'],
  MethodDefinition: ['key'],
  PropertyDefinition: ['key'],
  AccessorProperty: ['key'],
  TSPropertySignature: ['key'],
  TSMethodSignature: ['key'],
  TSAbstractMethodDefinition: ['key'],
  TSAbstractPropertyDefinition: ['key'],
  TSQualifiedName: ['right'],
  TSNamedTupleMember: ['label'],
  TSImportType: ['qualifier'],
  ImportAttribute: ['key'],
  ImportSpecifier: ['imported'],
  ExportSpecifier: ['exported'],
  ExportAllDeclaration: ['exported'],
  LabeledStatement: ['label'],
  BreakStatement: ['label'],
  ContinueStatement: ['label'],
  MetaProperty: ['meta', 'property'],
}

/** A file that declares a name anywhere is taken to mean its own. */
function declares({ node, parent, key }: Place): boolean {
  if (node.type !== 'Identifier' || !parent) return false
  if (parent.node.type === 'Property') return key === 'value' && parent.parent?.node.type === 'ObjectPattern'
  return DECLARING[parent.node.type]?.includes(key) === true
}

function reads({ node, parent, key }: Place): boolean {
  if (node.type !== 'Identifier' || !parent) return false
  const computed = 'computed' in parent.node && parent.node.computed === true
  return computed || LABELLING[parent.node.type]?.includes(key) !== true
}
