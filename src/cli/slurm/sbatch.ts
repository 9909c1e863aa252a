import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { parse } from 'yaml'
import { type GivenOption, readOptionWords, readScriptOptions } from '../../model/slurm/sbatch-options.ts'
import { type SlurmNames, specOfScript } from '../../model/slurm/sbatch-spec.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { parseBegin } from './begin.ts'

/** `banyan sbatch [options] script.sh [arguments]`: submits a batch script, or says all that it cannot honour. */
export async function sbatch(cli: Cli, words: readonly string[]): Promise<void> {
  const { names, isDry, left } = ownOptions(cli, words)
  const line = readOptionWords(left, 'command line')
  if (!line.ok) throw new CliFailure('usage', line.error)
  const [file, ...scriptArguments] = line.value.rest
  const text = file === undefined || file === '-' ? await cli.io.readInput() : await readScript(cli, file)
  const inScript = readScriptOptions(text)
  if (!inScript.ok) throw new CliFailure('invalid-spec', inScript.error.join('\n'))
  const options = [...inScript.value, ...line.value.options].map((option) => beginning(option, cli.now()))
  const client = await cli.client()
  const { cluster } = await client.getVersion()
  const read = specOfScript({
    options,
    text,
    arguments: scriptArguments,
    file: file === undefined || file === '-' ? 'sbatch' : basename(file),
    levels: cluster.levels,
    names: await names,
  })
  if (!read.ok) {
    throw new CliFailure(
      'invalid-spec',
      `${file ?? 'the script'} cannot be run as it is:\n${read.problems.join('\n')}`,
    )
  }
  const { workloads } = await client.submitWorkload({
    spec: read.spec,
    file: file ?? 'standard input',
    folder: cli.io.cwd,
    set: {},
    dryRun: isDry,
  })
  const ids = workloads.map(({ id }) => id)
  const isParsable = options.some(({ name }) => name === 'parsable')
  cli.print({ jobs: ids, spec: read.spec }, () => {
    if (isDry) return JSON.stringify(read.spec, null, 2)
    if (isParsable) return ids.join('\n')
    return ids.length === 1
      ? `Submitted batch job ${ids[0]}`
      : `Submitted batch jobs ${ids[0]} to ${ids.at(-1)}, one for each of the array`
  })
}

/** `--begin` as a moment in one form, since what people write hangs on their clock and time zone. */
function beginning(option: GivenOption, now: number): GivenOption {
  if (option.name !== 'begin') return option
  const moment = parseBegin(option.value, now)
  if (!moment.ok) throw new CliFailure('invalid-spec', `${option.where}: --begin: ${moment.error}`)
  return { ...option, value: moment.value === undefined ? 'now' : new Date(moment.value).toISOString() }
}

/** Banyan's own two options: `--names FILE` and `--dry-run`, before the script. */
function ownOptions(
  cli: Cli,
  words: readonly string[],
): { names: Promise<SlurmNames>; isDry: boolean; left: readonly string[] } {
  const left: string[] = []
  let isDry = false
  let names = Promise.resolve<SlurmNames>({})
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (word === '--dry-run') isDry = true
    else if (word === '--names') names = readNames(cli, words[++at])
    else if (word.startsWith('--names=')) names = readNames(cli, word.slice('--names='.length))
    else left.push(word)
  }
  return { names, isDry, left }
}

async function readNames(cli: Cli, file: string | undefined): Promise<SlurmNames> {
  if (file === undefined) throw new CliFailure('usage', '--names needs a file')
  const value: unknown = parse(await readScript(cli, file))
  if (typeof value === 'object' && value !== null) return value as SlurmNames
  throw new CliFailure('usage', `${file} has no names; banyan slurm import writes such a file`)
}

async function readScript(cli: Cli, file: string): Promise<string> {
  try {
    return await readFile(resolve(cli.io.cwd, file), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new CliFailure('usage', `there is no file ${file}`)
    throw new CliFailure('usage', `${file} cannot be read: ${(error as Error).message}`)
  }
}
