import { readFileSync } from 'node:fs'
import { parseDuration } from '../base/index.ts'
import { didYouMean } from '../model/spec/nearest.ts'
import type { Moment, Scenario, Span, WorkloadSource } from '../twin/index.ts'
import {
  EMPTY_SCENARIO,
  formatSpecProblem,
  type NamedPolicy,
  POLICY_NAMES,
  parseMoment,
  parseScenario,
  policyByName,
  readPolicy,
  type ShapeName,
} from '../twin/index.ts'
import { CliFailure } from './failure.ts'
import { checkWritable, whyUnreadable } from './file-failure.ts'
import type { Play } from './twin-play.ts'
import { checkSavePlace, savedRunOf } from './twin-save.ts'

export interface TwinFlags {
  readonly trace?: string
  readonly generate?: ShapeName
  readonly load: string
  readonly span: string
  readonly cluster?: string
  readonly policy?: string
  readonly seed?: string
  readonly from?: string
  readonly to?: string
  readonly epoch?: string
  readonly startCost?: string
  readonly horizon?: string
  readonly report?: string
  readonly seeds?: string
  readonly save?: string
  readonly saveEvery?: string
  readonly resume?: string
  readonly json?: boolean
}

/** Flags that go with a run that is gone on with. */
const WITH_RESUME: ReadonlySet<string> = new Set(['resume', 'save', 'saveEvery', 'horizon', 'report', 'json'])

/** The run that is asked for: a new one, or with `--resume` a saved one up to its horizon, or once that is reached to its end or the one of the flags. */
export function playOfFlags(file: string | undefined, flags: TwinFlags): Play {
  const { epoch, resume } = flags
  const save = flags.save ?? resume
  const saveEveryMs = flags.saveEvery === undefined ? undefined : durationOf('--save-every', flags.saveEvery)
  if (save === undefined && saveEveryMs !== undefined)
    throw new CliFailure('usage', '--save-every says how often, and --save FILE where to')
  if (flags.report !== undefined) checkWritable(flags.report)
  if (save !== undefined) checkSavePlace(save, resume)
  if (resume === undefined) return { scenario: scenarioOfFlags(file, flags), epoch, save, saveEveryMs }
  const stray = Object.keys(flags).find((name) => !WITH_RESUME.has(name) && !HAS_DEFAULT.has(name))
  if (file !== undefined || stray !== undefined)
    throw new CliFailure('usage', `--resume goes on with what was saved; leave out ${file ?? `--${stray}`}`)
  const saved = savedRunOf(resume)
  const { horizonMs: before, ...scenario } = saved.scenario
  const left = saved.at === 'horizon' ? undefined : before
  const horizonMs = flags.horizon === undefined ? left : durationOf('--horizon', flags.horizon)
  const horizon = horizonMs === undefined ? {} : { horizonMs }
  return { scenario: { ...scenario, ...horizon }, epoch: saved.epoch, save, saveEveryMs, saved }
}

/** Flags that commander always gives. */
const HAS_DEFAULT: ReadonlySet<string> = new Set(['load', 'span'])

/** The scenario of the file, or an empty one, with what the flags say in its place. */
export function scenarioOfFlags(file: string | undefined, flags: TwinFlags): Scenario {
  const scenario = file === undefined ? EMPTY_SCENARIO : readScenario(file)
  const workload = workloadOf(flags)
  if (file === undefined && !workload) {
    throw new CliFailure(
      'usage',
      'nothing to play; give a scenario file, or --trace FILE, or --generate SHAPE',
    )
  }
  if (file === undefined && flags.cluster === undefined) {
    throw new CliFailure('usage', 'how large is the cluster? For example --cluster nodes=96,gpus=8')
  }
  const policy = flags.policy === undefined ? undefined : policyOf(flags.policy)
  return {
    ...scenario,
    ...(workload ? { name: flags.trace ?? `${flags.generate}`, workloads: [workload] } : {}),
    ...(flags.cluster !== undefined ? { cluster: clusterOf(flags.cluster) } : {}),
    ...(policy ? { policy: policy.policy, declareRunTimes: policy.needsRunTimes } : {}),
    ...(flags.seed !== undefined ? { seed: wholeNumber('--seed', flags.seed, 0) } : {}),
    ...(flags.startCost !== undefined ? { startCost: spanOf(flags.startCost) } : {}),
    ...(flags.horizon !== undefined ? { horizonMs: durationOf('--horizon', flags.horizon) } : {}),
  }
}

function readScenario(file: string): Scenario {
  if (/\.(csv|txt)(\.gz)?$/i.test(file))
    throw new CliFailure('usage', `${file} is no scenario`, `To play it as a trace, give --trace ${file}.`)
  const parsed = parseScenario(readText(file), file)
  if (parsed.ok) return parsed.value
  throw new CliFailure('invalid-spec', parsed.error.map(formatSpecProblem).join('\n'))
}

/** A file's text, or what kept it from being read. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliFailure('usage', `cannot read ${file}: ${whyUnreadable(error)}`)
  }
}

function workloadOf(flags: TwinFlags): WorkloadSource | undefined {
  if (flags.trace !== undefined) {
    const from = momentOf('--from', flags.from)
    const to = momentOf('--to', flags.to)
    return {
      kind: 'trace',
      file: flags.trace,
      format: 'auto',
      ...(from ? { from } : {}),
      ...(to ? { to } : {}),
    }
  }
  if (flags.generate === undefined) return undefined
  const load = Number(flags.load)
  if (!(load > 0 && load < 10))
    throw new CliFailure('usage', `--load is "${flags.load}"; write for example 0.8`)
  return { kind: 'generate', shape: flags.generate, load, spanMs: durationOf('--span', flags.span) }
}

function momentOf(flag: string, text: string | undefined): Moment | undefined {
  if (text === undefined) return undefined
  const moment = parseMoment(text)
  if (!moment.ok) throw new CliFailure('usage', `${flag}: ${moment.error}`)
  return moment.value
}

const CLUSTER_FORMS = 'write nodes=96,gpus=8, or gpus=560 for one pool, or TEMPLATE:NODES'

function clusterOf(text: string): Scenario['cluster'] {
  const template = /^([a-z][\w-]*):(\d+)$/.exec(text)
  if (template)
    return {
      kind: 'template',
      template: template[1]!,
      nodes: wholeNumber('nodes of --cluster', template[2]!, 1),
    }
  const values = new Map<string, string>()
  for (const part of text.split(',')) {
    const [name = '', value] = part.split('=')
    if (value === undefined || !['nodes', 'gpus', 'model'].includes(name))
      throw new CliFailure('usage', `--cluster is "${text}"; ${CLUSTER_FORMS}`)
    values.set(name, value)
  }
  if (!values.has('gpus')) throw new CliFailure('usage', `--cluster "${text}" says no gpus; ${CLUSTER_FORMS}`)
  return {
    kind: 'plain',
    nodes: wholeNumber('nodes of --cluster', values.get('nodes') ?? '1', 1),
    gpus: wholeNumber('gpus of --cluster', values.get('gpus')!, 1),
    gpuModel: values.get('model') ?? 'H100-80GB',
  }
}

/** The policy of that name, or of that file. */
export function policyOf(text: string): NamedPolicy {
  const named = policyByName(text)
  if (named) return named
  if (!/[./]/.test(text)) {
    throw new CliFailure(
      'usage',
      `there is no policy "${text}"${didYouMean(text, POLICY_NAMES)}; known are ${POLICY_NAMES.join(', ')}, or give a file`,
    )
  }
  const read = readPolicy(readText(text), text)
  if (!read.ok) throw new CliFailure('invalid-spec', read.error.map(formatSpecProblem).join('\n'))
  return { policy: read.value, needsRunTimes: read.value.runTimes === 'exact' }
}

function spanOf(text: string): Span {
  const [from = '', to = from] = text.split('..')
  const span = { fromMs: durationOf('--start-cost', from), toMs: durationOf('--start-cost', to) }
  if (span.toMs < span.fromMs) throw new CliFailure('usage', `--start-cost "${text}" ends before it begins`)
  return span
}

function durationOf(flag: string, text: string): number {
  const span = parseDuration(text)
  if (!span.ok) throw new CliFailure('usage', `${flag}: ${span.error}`)
  return span.value
}

export function wholeNumber(what: string, text: string, least: number): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < least)
    throw new CliFailure('usage', `${what} is "${text}"; it needs a whole number from ${least}`)
  return value
}
