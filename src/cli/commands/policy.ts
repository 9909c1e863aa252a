import type { CallInput, ContractOf, Impact, PolicyView } from '../../api/index.ts'
import { formatDuration, parseDuration } from '../../base/index.ts'
import { DEFAULT_POLICY } from '../../model/index.ts'
import { didYouMean } from '../../model/spec/nearest.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { impactLines } from '../render/impact.ts'
import { renderPairs } from '../render/table.ts'

type Settings = CallInput<ContractOf<'setPolicy'>>

/** Shows the scheduler's policy. */
export async function showPolicy(cli: Cli): Promise<void> {
  const client = await cli.client()
  const policy = await client.getPolicy()
  cli.print(policy, () => policyText(cli, policy))
}

/** Shows what other settings would do; nothing is changed. */
export async function previewPolicy(cli: Cli, pairs: readonly string[]): Promise<void> {
  const settings = policySettings(pairs)
  const client = await cli.client()
  const impact = await client.previewPolicy(settings)
  cli.print(impact, () => impactLines(cli, impact).join('\n'))
}

/** Changes settings after showing what that would do, and asking. */
export async function setPolicy(
  cli: Cli,
  pairs: readonly string[],
  options: { readonly yes?: boolean },
): Promise<void> {
  const settings = policySettings(pairs)
  const client = await cli.client()
  if (!options.yes) await confirm(cli, () => client.previewPolicy(settings))
  const policy = await client.setPolicy(settings)
  cli.print(policy, () => policyText(cli, policy))
}

/** Shows what a change would do, and goes on only when somebody says yes. */
export async function confirm(cli: Cli, preview: () => Promise<Impact>): Promise<void> {
  if (cli.io.isPiped || cli.isJson) {
    throw new CliFailure(
      'usage',
      'there is nobody to ask whether to change the policy',
      'Add --yes to change it without asking; `banyan policy preview` shows the effect.',
    )
  }
  cli.io.err(`${impactLines(cli, await preview()).join('\n')}\n`)
  const answer = await cli.io.ask('Change the policy? [y/N] ')
  if (!/^y(es)?$/i.test(answer?.trim() ?? '')) throw new CliFailure('usage', 'the policy was left as it is')
}

/** `ordering=fifo minimumRunMs=10m` as settings; times take units. */
function policySettings(pairs: readonly string[]): Settings {
  if (pairs.length === 0) {
    throw new CliFailure('usage', 'nothing to change', `Give name=value; names: ${NAMES.join(', ')}.`)
  }
  const entries = pairs.map((pair) => {
    const [name = '', value] = pair.split(/=(.*)/s)
    if (value === undefined) throw new CliFailure('usage', `"${pair}" is not name=value`)
    const known = settingNamed(name)
    return [known, settingValue(known, value)]
  })
  return Object.fromEntries(entries) as Settings
}

const NAMES = Object.keys(DEFAULT_POLICY).filter((name) => name !== 'version')

/** The setting of this name, with or without its unit. */
export function settingNamed(name: string): string {
  const known = NAMES.find((candidate) => candidate === name || candidate === `${name}Ms`)
  if (known !== undefined) return known
  throw new CliFailure(
    'usage',
    `the policy has no "${name}"${didYouMean(name, NAMES)}`,
    `Names: ${NAMES.join(', ')}.`,
  )
}

export function settingValue(name: string, text: string): unknown {
  if (name.endsWith('Ms') && !/^\d+$/.test(text)) {
    const parsed = parseDuration(text)
    if (!parsed.ok) throw new CliFailure('usage', `${name}: ${parsed.error}`)
    return parsed.value
  }
  if (text === 'true' || text === 'false') return text === 'true'
  if (name === 'serviceLevels') return text.split(',').filter(Boolean).map(Number)
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

export function policyText(cli: Cli, policy: PolicyView): string {
  const pairs = Object.entries(policy)
    .filter(([name]) => name !== 'version')
    .map(([name, value]) => {
      const isSpan = name.endsWith('Ms') && typeof value === 'number'
      return [isSpan ? name.slice(0, -2) : name, isSpan ? formatDuration(value) : String(value)] as const
    })
  return renderPairs(cli, pairs)
}
