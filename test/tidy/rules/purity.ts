import { type Finding, isTest, lineAt, type Module, type Rule } from '../project.ts'
import { roomCalled, roomNameOf } from '../rooms.ts'
import type { Global, Place } from '../syntax.ts'

/** Pure rooms know no clock, chance, host or locale and never wait; each message names what to use instead. */
export const purity: Rule = ({ modules }) => modules.filter(isPureProduct).flatMap(impurities)

function isPureProduct({ path }: Module): boolean {
  const room = roomNameOf(path)
  return room !== undefined && roomCalled(room)?.host === 'pure' && !isTest(path)
}

/** Ports describe in types what the outside answers later; they hold no code that could wait. */
function isPort(path: string): boolean {
  return path.startsWith('src/control/ports')
}

const TIMERS = 'pure rooms never wait; give the due time back as data and let the server call again'
const HOST = 'pure rooms have no host; take the value as an argument'

/** Globals barred by name, with what to use instead. */
const BARRED: Readonly<Record<string, string>> = {
  performance: 'take `now` as an argument; time is measured by the caller',
  setTimeout: TIMERS,
  setInterval: TIMERS,
  setImmediate: TIMERS,
  queueMicrotask: TIMERS,
  Promise: 'pure rooms never wait; give effects back as data and let the server run them',
  process: HOST,
  globalThis: HOST,
  require: HOST,
  Buffer: 'use Uint8Array',
  console: 'give findings back as data; the server logs',
  fetch: 'give an effect back as data; an adapter talks to the network',
  Intl: 'format with base/units.ts; the surfaces know the locale',
  crypto: 'use randomStream of base for chance and hash32 of base for hashes',
}

function impurities(module: Module): Finding[] {
  const { syntax, text, path } = module
  const found = [
    ...syntax.globals.map((place) => [place, globalObjection(path, place)] as const),
    ...syntax.places.map((place) => [place, syntaxObjection(place)] as const),
  ]
  return found.flatMap(([{ node }, message]) =>
    message === undefined ? [] : [{ path, line: lineAt(text, node.start), message }],
  )
}

function globalObjection(path: string, { name, parent, key }: Global): string | undefined {
  if (name === 'Promise' && parent?.node.type === 'TSTypeReference' && isPort(path)) return undefined
  const barred = Object.hasOwn(BARRED, name) ? BARRED[name] : undefined
  if (barred !== undefined) return `${name}: ${barred}`
  const above = parent?.node
  const member = above?.type === 'MemberExpression' && key === 'object' ? memberName(above) : undefined
  if (name === 'Math' && member === 'random')
    return 'Math.random: draw from a RandomStream given as an argument'
  if (name !== 'Date') return undefined
  if (member === 'now') return 'Date.now: take `now` (TimeMs) as an argument'
  const callsClock =
    (above?.type === 'NewExpression' && above.arguments.length === 0) || above?.type === 'CallExpression'
  return callsClock && key === 'callee' ? 'the current Date: take `now` (TimeMs) as an argument' : undefined
}

function syntaxObjection({ node }: Place): string | undefined {
  switch (node.type) {
    case 'AwaitExpression':
      return 'await: pure rooms never wait; give effects back as data and let the server run them'
    case 'ForOfStatement':
      return node.await ? 'for await: take the whole collection as an argument' : undefined
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return node.async ? 'async: make the function synchronous; give effects back as data' : undefined
    case 'ImportExpression':
      return 'import(): import at the top of the file'
    case 'MetaProperty':
      return node.meta.name === 'import'
        ? 'import.meta: pure rooms have no place on disk; import data as JSON'
        : undefined
    case 'MemberExpression':
      return localeObjection(memberName(node))
    default:
      return undefined
  }
}

function localeObjection(member: string | undefined): string | undefined {
  if (member === 'localeCompare') return 'localeCompare: use compareIds of base, or `<` (code-point order)'
  if (member?.startsWith('toLocale'))
    return `${member}: format with base/units.ts; the surfaces know the locale`
  return undefined
}

function memberName(node: Extract<Place['node'], { type: 'MemberExpression' }>): string | undefined {
  const { property } = node
  if (!node.computed) return property.type === 'Identifier' ? property.name : undefined
  return property.type === 'Literal' && typeof property.value === 'string' ? property.value : undefined
}
