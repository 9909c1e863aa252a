import { type ParseArgsConfig, parseArgs } from 'node:util'

/** A flag has the default false; numbers are never negative; a text that is empty was not given. */
type Default = boolean | string | number | readonly number[]

type Options<Defaults> = {
  readonly [Name in keyof Defaults]: Defaults[Name] extends boolean
    ? boolean
    : Defaults[Name] extends number
      ? number
      : Defaults[Name] extends readonly number[]
        ? readonly number[]
        : string
}

/**
 * What a benchmark was asked for, `--json` among it. `--help` prints `help` and ends the process; anything that is not
 * among the defaults, or of another type, ends it with one line and exit code 2.
 */
export function benchOptions<const Defaults extends Readonly<Record<string, Default>>>(
  help: string,
  defaults: Defaults,
): Options<Defaults> & { readonly json: boolean } {
  const all: Record<string, Default> = { ...defaults, json: false, help: false }
  try {
    const { values } = parseArgs({ options: configOf(all) })
    const options: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(all)) options[name] = optionOf(name, values[name], value)
    if (!options.help) return options as Options<Defaults> & { readonly json: boolean }
    console.log(help)
    process.exit(0)
  } catch (error) {
    const [problem] = (error instanceof Error ? error.message : String(error)).split('. ')
    console.error(`${problem}; --help tells what there is.`)
    process.exit(2)
  }
}

function configOf(defaults: Readonly<Record<string, Default>>): NonNullable<ParseArgsConfig['options']> {
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      { type: typeof value === 'boolean' ? 'boolean' : 'string' },
    ]),
  )
}

function optionOf(name: string, given: unknown, value: Default): Default {
  if (typeof given !== 'string') return given === true || value
  if (typeof value === 'string') return given
  if (typeof value === 'number') return numberOf(name, given)
  return given.split(',').map((part) => numberOf(name, part))
}

function numberOf(name: string, text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(number) && number >= 0) return number
  throw new Error(`--${name} takes numbers, and "${text}" is none`)
}
