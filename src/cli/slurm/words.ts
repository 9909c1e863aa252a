import { CliFailure } from '../failure.ts'

/** What one of Slurm's view commands understands; a flag takes no value. */
export interface ViewOptions {
  readonly values: Readonly<Record<string, string>>
  readonly flags: Readonly<Record<string, string>>
}

export interface GivenWords {
  readonly value: (name: string) => string | undefined
  readonly has: (flag: string) => boolean
  readonly rest: readonly string[]
}

/** Reads the words of `squeue` and its like, as Slurm does; short names map to long ones. */
export function readWords(command: string, words: readonly string[], options: ViewOptions): GivenWords {
  const values = new Map<string, string>()
  const flags = new Set<string>()
  const rest: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    const [, long, after] = /^--([\w-]+)(?:=([\s\S]*))?$/.exec(word) ?? []
    const [, short, attached] = /^-(\w)([\s\S]*)$/.exec(word) ?? []
    const valueName = long !== undefined ? own(options.values, long) : byShort(options.values, short)
    const flagName = long !== undefined ? own(options.flags, long) : byShort(options.flags, short)
    if (valueName !== undefined) {
      const value = after ?? (attached ? attached : words[++at])
      if (value === undefined)
        throw new CliFailure('usage', `banyan ${command}: --${valueName} needs a value`)
      values.set(valueName, value)
    } else if (flagName !== undefined) {
      flags.add(flagName)
      // Flags of one letter may stand together: -hN.
      if (long === undefined && attached)
        words = [...words.slice(0, at + 1), `-${attached}`, ...words.slice(at + 1)]
    } else if (word.startsWith('-') && word !== '-') {
      throw new CliFailure(
        'usage',
        `banyan ${command} cannot honour ${word.split('=')[0]}`,
        `banyan ${command} --help lists what it can.`,
      )
    } else rest.push(word)
  }
  return { value: (name) => values.get(name), has: (flag) => flags.has(flag), rest }
}

function own(names: Readonly<Record<string, string>>, long: string): string | undefined {
  return Object.hasOwn(names, long) ? long : undefined
}

function byShort(names: Readonly<Record<string, string>>, short: string | undefined): string | undefined {
  return short === undefined ? undefined : Object.keys(names).find((long) => names[long] === short)
}
