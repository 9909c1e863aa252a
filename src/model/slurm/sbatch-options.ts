import { ok, type Result, refuse } from '../../base/index.ts'
import { didYouMean } from '../spec/nearest.ts'

/** One option as it was given, and where, for messages. */
export interface GivenOption {
  /** Long name without dashes. */
  readonly name: string
  /** Empty for flags. */
  readonly value: string
  /** `line 3` of the script, or `command line`. */
  readonly where: string
}

interface Known {
  readonly short?: string
  /** Whether a value follows; `optional` ones are written with `=`. */
  readonly takes: 'value' | 'nothing' | 'optional'
}

/** What sbatch(1) has and Banyan understands. */
const OPTIONS: Readonly<Record<string, Known>> = {
  account: { short: 'A', takes: 'value' },
  array: { short: 'a', takes: 'value' },
  begin: { short: 'b', takes: 'value' },
  chdir: { short: 'D', takes: 'value' },
  comment: { takes: 'value' },
  constraint: { short: 'C', takes: 'value' },
  'cpus-per-task': { short: 'c', takes: 'value' },
  dependency: { short: 'd', takes: 'value' },
  error: { short: 'e', takes: 'value' },
  exclude: { short: 'x', takes: 'value' },
  exclusive: { takes: 'optional' },
  export: { takes: 'value' },
  gpus: { short: 'G', takes: 'value' },
  'gpus-per-node': { takes: 'value' },
  gres: { takes: 'value' },
  'job-name': { short: 'J', takes: 'value' },
  mem: { takes: 'value' },
  nodelist: { short: 'w', takes: 'value' },
  nodes: { short: 'N', takes: 'value' },
  'no-requeue': { takes: 'nothing' },
  ntasks: { short: 'n', takes: 'value' },
  'ntasks-per-node': { takes: 'value' },
  output: { short: 'o', takes: 'value' },
  parsable: { takes: 'nothing' },
  partition: { short: 'p', takes: 'value' },
  qos: { short: 'q', takes: 'value' },
  requeue: { takes: 'nothing' },
  segment: { takes: 'value' },
  signal: { takes: 'value' },
  switches: { takes: 'value' },
  time: { short: 't', takes: 'value' },
  'time-min': { takes: 'value' },
}

/** Options and what is left: the first word that is no option and all behind it. */
export interface ReadWords {
  readonly options: readonly GivenOption[]
  readonly rest: readonly string[]
}

/** Reads words as sbatch does: `-N 2`, `-N2`, `--nodes=2`, `--nodes 2`; or says which one is unknown. */
export function readOptionWords(words: readonly string[], where: string): Result<ReadWords, string> {
  const options: GivenOption[] = []
  let at = 0
  for (; at < words.length; at++) {
    const word = words[at]!
    if (!word.startsWith('-') || word === '-') break
    const read = readOne(word, words[at + 1], where)
    if (!read.ok) return read
    options.push(read.value.option)
    if (read.value.usedNext) at++
  }
  return ok({ options, rest: words.slice(at) })
}

/** The options of a script's `#SBATCH` lines, which end at its first command, as in Slurm. */
export function readScriptOptions(script: string): Result<readonly GivenOption[], readonly string[]> {
  const options: GivenOption[] = []
  const problems: string[] = []
  for (const [index, line] of script.split('\n').entries()) {
    const text = line.trim()
    if (text !== '' && !text.startsWith('#')) break
    const [, words] = /^#SBATCH\s+(.*)$/.exec(text) ?? []
    if (words === undefined) continue
    const where = `line ${index + 1}`
    const read = readOptionWords(splitWords(words), where)
    if (!read.ok) problems.push(read.error)
    else if (read.value.rest.length > 0) {
      problems.push(`${where}: "${read.value.rest.join(' ')}" belongs to no option`)
    } else options.push(...read.value.options)
  }
  return problems.length > 0 ? refuse(problems) : ok(options)
}

function readOne(
  word: string,
  next: string | undefined,
  where: string,
): Result<{ option: GivenOption; usedNext: boolean }, string> {
  const isLong = word.startsWith('--')
  const equals = word.indexOf('=')
  const given = isLong ? word.slice(2, equals === -1 ? undefined : equals) : word.slice(1, 2)
  const attached = isLong ? (equals === -1 ? undefined : word.slice(equals + 1)) : word.slice(2) || undefined
  const name = isLong ? given : Object.keys(OPTIONS).find((long) => OPTIONS[long]!.short === given)
  const known = name === undefined ? undefined : OPTIONS[name]
  if (name === undefined || !known) {
    const shown = isLong ? `--${given}` : `-${given}`
    const hint = isLong ? didYouMean(given, Object.keys(OPTIONS)) : ''
    return refuse(`${where}: Banyan cannot honour ${shown}${hint}; leave it out`)
  }
  if (known.takes === 'nothing') {
    return attached === undefined
      ? ok({ option: { name, value: '', where }, usedNext: false })
      : refuse(`${where}: --${name} takes no value, found "${attached}"`)
  }
  if (attached !== undefined) return ok({ option: { name, value: attached, where }, usedNext: false })
  if (known.takes === 'optional') return ok({ option: { name, value: '', where }, usedNext: false })
  if (next === undefined) return refuse(`${where}: --${name} needs a value`)
  return ok({ option: { name, value: next, where }, usedNext: true })
}

/** Words at blanks; quotes hold blanks together, and a `#` after a blank begins a remark. */
function splitWords(text: string): string[] {
  const words: string[] = []
  for (const [, double, single, plain] of text.matchAll(
    /((?:[^\s"'#]|(?<=\S)#)*"[^"]*"\S*)|([^\s"']*'[^']*'\S*)|(\S+)/g,
  )) {
    const word = double ?? single ?? plain ?? ''
    if (word.startsWith('#')) break
    words.push(word.replace(/"([^"]*)"|'([^']*)'/g, (_, a?: string, b?: string) => a ?? b ?? ''))
  }
  return words
}
