import { isMap, isScalar, parseDocument } from 'yaml'
import type { CallInput, ContractOf } from '../../api/index.ts'
import { parseDuration, present } from '../../base/index.ts'
import { didYouMean } from '../../model/spec/nearest.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { confirm, policyText, settingNamed, settingValue } from './policy.ts'
import { queueTable } from './queues.ts'
import { readSpec } from './run.ts'

type PolicySettings = CallInput<ContractOf<'setPolicy'>>
type QueueSettings = Omit<CallInput<ContractOf<'setQueue'>>, 'id'>

interface PolicyFile {
  readonly policy: PolicySettings | undefined
  readonly queues: ReadonlyMap<string, QueueSettings>
}

const QUEUE_FIELDS = [
  'guaranteedGpus',
  'guaranteedDomains',
  'limitGpus',
  'limitGpusPerUser',
  'budget',
  'weight',
  'lendable',
]

/** Brings policy and queues to what a file says, after showing what that would do, and asking. */
export async function applyPolicy(
  cli: Cli,
  file: string,
  options: { readonly yes?: boolean },
): Promise<void> {
  const { policy, queues } = readPolicyFile(file, (await readSpec(cli, file)).spec)
  const client = await cli.client()
  const change = { ...(policy && { policy }), queues: Object.fromEntries(queues) }
  let version: string | undefined
  if (!options.yes) {
    await confirm(cli, async () => {
      const preview = await client.applyPolicy({ ...change, dryRun: true })
      version = preview.version
      return present(preview.impact, 'impact of a dry run')
    })
  }
  const applied = await client.applyPolicy({ ...change, ...(version !== undefined && { version }) })
  cli.print(applied, () =>
    [policyText(cli, applied.policy), ...(queues.size > 0 ? [queueTable(cli, applied.queues)] : [])].join(
      '\n\n',
    ),
  )
}

/** `policy:` with the names of `policy set`, `queues:` by name with the fields of the API; spans are written `7d`. */
export function readPolicyFile(file: string, yaml: string): PolicyFile {
  const document = parseDocument(yaml, { prettyErrors: true })
  const [broken] = document.errors
  if (broken) throw new CliFailure('usage', `${file}: ${broken.message}`)
  if (!isMap(document.contents)) throw new CliFailure('usage', `${file}: needs policy, queues or both`)
  const top = document.toJS() as Record<string, unknown>
  const unknown = Object.keys(top).find((name) => name !== 'policy' && name !== 'queues')
  if (unknown !== undefined) {
    const hint = didYouMean(unknown, ['policy', 'queues'])
    throw new CliFailure(
      'usage',
      `${file}: there is no "${unknown}" in a policy file${hint}`,
      'It has policy and queues.',
    )
  }
  const settings = Object.entries(mappingOf(file, 'policy', top.policy)).map(([name, value]) => {
    const known = settingNamed(name)
    // As it was written, so that 10m is read as everywhere else.
    const node = document.getIn(['policy', name], true)
    const isText = isScalar(node) && typeof value === 'string'
    return [known, isText ? settingValue(known, value) : value]
  })
  const queues = Object.entries(mappingOf(file, 'queues', top.queues)).map(
    ([id, fields]) => [id, queueSettings(file, id, mappingOf(file, `queues.${id}`, fields))] as const,
  )
  if (settings.length + queues.length === 0) throw new CliFailure('usage', `${file}: nothing to change`)
  return {
    policy: settings.length > 0 ? (Object.fromEntries(settings) as PolicySettings) : undefined,
    queues: new Map(queues),
  }
}

function queueSettings(file: string, id: string, fields: Record<string, unknown>): QueueSettings {
  for (const name of Object.keys(fields)) {
    if (QUEUE_FIELDS.includes(name)) continue
    const hint = didYouMean(name, QUEUE_FIELDS)
    throw new CliFailure(
      'usage',
      `${file}: queues.${id} has no "${name}"${hint}`,
      `Fields: ${QUEUE_FIELDS.join(', ')}.`,
    )
  }
  const { budget } = fields
  if (budget === undefined || budget === null) return fields
  const { gpuHours, window } = mappingOf(file, `queues.${id}.budget`, budget)
  const windowMs = parseDuration(String(window))
  if (!windowMs.ok) throw new CliFailure('usage', `${file}: queues.${id}.budget.window: ${windowMs.error}`)
  return { ...fields, budget: { gpuHours: gpuHours as number, windowMs: windowMs.value } }
}

function mappingOf(file: string, path: string, value: unknown): Record<string, unknown> {
  if (value === undefined || value === null) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  throw new CliFailure('usage', `${file}: ${path} needs names with values`)
}
