import { ok, parseDuration, type Result, refuse } from '../../base/index.ts'
import { CLUSTER_TEMPLATES, clusterTemplate } from '../../fabric/index.ts'
import { didYouMean } from '../../model/spec/nearest.ts'

/** The machine that a twin is of, and how it is used. */
export interface TwinOptions {
  readonly template: string
  readonly nodes: number
  /** How many times faster than the wall's clock its time goes. */
  readonly speed: number
  readonly load: number
  readonly seed: number
  /** Multiplies the published rates of failure. */
  readonly faults: number
  /** How often the server loses contact with the machine and hears of it late or twice: times once a day and so on. */
  readonly controlFaults: number
  /** Absent: as long as can be made up for within seconds. */
  readonly historyMs: number | undefined
}

/** What `--twin` and its companions were given as. */
export type TwinFlags = Readonly<
  Partial<
    Record<'twin' | 'speed' | 'load' | 'seed' | 'faults' | 'control-faults' | 'history', string | undefined>
  >
>

const MOST_NODES = 20_000
const DEFAULTS = { speed: 60, load: 0.85, seed: 1, faults: 1, 'control-faults': 0 }

/** The options of a twin, undefined where none is asked for, or what is wrong with them. */
export function parseTwinOptions(flags: TwinFlags): Result<TwinOptions | undefined, string> {
  const { twin, ...others } = flags
  if (twin === undefined) {
    const [stray] = Object.entries(others).flatMap(([name, value]) => (value === undefined ? [] : [name]))
    return stray === undefined
      ? ok(undefined)
      : refuse(`--${stray} is of a twin; give --twin TEMPLATE:NODES too`)
  }
  const [, template = '', count = ''] = /^([^:]*):(\d+)$/.exec(twin) ?? []
  const names = CLUSTER_TEMPLATES.map(({ name }) => name)
  if (template === '')
    return refuse(`--twin takes TEMPLATE:NODES, for example ${names[1]}:512, not "${twin}"`)
  if (!clusterTemplate(template))
    return refuse(
      `there is no template "${template}"${didYouMean(template, names)}; known are ${names.join(', ')}`,
    )
  const nodes = Number(count)
  if (nodes < 1 || nodes > MOST_NODES) return refuse(`--twin takes 1 to ${MOST_NODES} nodes, not ${count}`)
  const numbers = { ...DEFAULTS }
  for (const [name, least, most] of [
    ['speed', 0.1, 100_000],
    ['load', 0, 5],
    ['seed', 0, 2 ** 31],
    ['faults', 0, 1_000],
    ['control-faults', 0, 1_000],
  ] as const) {
    const text = others[name]
    const value = text === undefined ? DEFAULTS[name] : Number(text)
    if (text?.trim() === '' || !(value >= least && value <= most))
      return refuse(`--${name} takes a number from ${least} to ${most}, not "${text}"`)
    numbers[name] = value
  }
  const history = others.history === undefined ? ok(undefined) : parseDuration(others.history)
  if (!history.ok) return refuse(`--history: ${history.error}`)
  const { 'control-faults': controlFaults, ...rest } = numbers
  return ok({ template, nodes, ...rest, controlFaults, historyMs: history.value })
}
