import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import type { Submitted, WorkloadView } from '../../api/index.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { explanationLines } from '../render/explanation.ts'
import { counted } from '../render/values.ts'
import { forecastText, plannedText } from '../render/workload.ts'

export interface RunOptions {
  readonly follow?: boolean
  readonly dryRun?: boolean
  readonly team?: string
  readonly set?: readonly string[]
}

const LARGEST_BYTES = 2 ** 20

/** Submits the workload of a spec file, or says what would become of it. */
export async function run(cli: Cli, file: string, options: RunOptions): Promise<void> {
  const request = {
    ...(await readSpec(cli, file)),
    set: settings(options.set ?? []),
    team: options.team,
    dryRun: options.dryRun ?? false,
  }
  const client = await cli.client()
  const submitted = await client.submitWorkload(request)
  const [only] = submitted.workloads
  if (options.follow && only && submitted.workloads.length === 1) {
    const { follow } = await import('./follow.ts')
    return follow(cli, client, only)
  }
  if (options.follow && !submitted.dryRun)
    cli.note('An array cannot be followed as one; `banyan ps` shows its members.')
  cli.print(submitted, () =>
    (submitted.dryRun ? outlookLines(cli, submitted) : submittedLines(cli, submitted)).join('\n'),
  )
}

/** The text of a spec with how messages name it and what its relative paths start from. */
export async function readSpec(
  cli: Cli,
  file: string,
): Promise<{ spec: string; file: string; folder: string }> {
  if (file === '-') return { spec: await cli.io.readInput(), file: 'standard input', folder: cli.io.cwd }
  const path = resolve(cli.io.cwd, file)
  try {
    const { size } = await stat(path)
    if (size > LARGEST_BYTES) {
      throw new CliFailure(
        'invalid-spec',
        `${file}: is larger than 1 MiB (${size} bytes), which no spec needs`,
      )
    }
    return { spec: await readFile(path, 'utf8'), file, folder: dirname(path) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      throw new CliFailure('usage', `there is no file ${file}`, 'docs/spec.md shows how a spec looks.')
    }
    if (code === 'EISDIR')
      throw new CliFailure('usage', `${file} is a folder`, `Name the spec file in ${basename(path)}.`)
    if (code === 'EACCES') throw new CliFailure('usage', `${file} cannot be read: permission denied`)
    throw error
  }
}

/** `key=value` pairs as a record. */
export function settings(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=')
      if (equals < 1) {
        throw new CliFailure(
          'usage',
          `--set ${pair}: needs path=value`,
          'For example --set gpus=4 --set checkpoint.every=5m.',
        )
      }
      return [pair.slice(0, equals), pair.slice(equals + 1)]
    }),
  )
}

function submittedLines(cli: Cli, { workloads }: Submitted): string[] {
  const [first, ...rest] = workloads
  if (!first) return ['Nothing was submitted.']
  if (rest.length > 0) {
    const last = rest.at(-1)!
    return [
      `${counted(workloads.length, 'workload')} submitted, ${first.id} to ${last.id} (${first.spec.name} to ${last.spec.name}).`,
      'Next: banyan ps',
    ]
  }
  return [
    `${stateLine(cli, first)}`,
    ...plannedLines(first.spec),
    `${cli.paint.dim('next ')}${nextCommands(first)}`,
  ]
}

function stateLine(cli: Cli, { id, spec, state, stateReason }: WorkloadView): string {
  const reason = stateReason === '' ? '' : `: ${stateReason}`
  return `${cli.paint.bold(id)} (${spec.name}) is ${state}${reason}`
}

function nextCommands({ id, state }: WorkloadView): string {
  const first = state === 'queued' ? [`banyan explain ${id}`] : []
  return [...first, `banyan show ${id}`, `banyan logs -f ${id}`, `banyan stop ${id}`].join(', ')
}

/** What was planned for a declared run; the members of an array are alike. */
function plannedLines(spec: WorkloadView['spec'] | undefined): string[] {
  const planned = spec && plannedText(spec)
  return planned ? [`planned ${planned}`] : []
}

function outlookLines(cli: Cli, { outlook, specs }: Submitted): string[] {
  const now = cli.now()
  const shown = outlook.slice(0, 10).flatMap(({ name, startsNow, nodes, explanation, forecast }) => {
    if (startsNow) return [`${name} would start now on ${nodes.join(', ')}.`]
    return [
      `${name} would wait${explanation ? `, at place ${explanation.position} of the queue` : ''}.`,
      ...(explanation ? explanationLines(cli, explanation) : []),
      ...(forecast ? [`It ${forecastText(forecast, now)}.`] : []),
    ]
  })
  const more = outlook.length > 10 ? [`... and ${outlook.length - 10} more`] : []
  return [...plannedLines(specs[0]), ...shown, ...more, cli.paint.dim('Nothing was submitted.')]
}
