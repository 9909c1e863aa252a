import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { type Assembled, assemble, Insight, type RunReport, type Scenario, World } from '../twin/index.ts'
import { CliFailure } from './failure.ts'
import type { TwinFlags } from './twin-flags.ts'

/** One played scenario: what came of it in virtual time, and what it took in real time. */
export interface Played {
  readonly scenario: Scenario
  readonly assembled: Assembled
  readonly report: RunReport
  readonly seconds: number
  readonly eventsPerSecond: number
  readonly rssMiB: number
}

const STEPS_BETWEEN_LOOKS = 20_000
const LOOKS_EVERY_S = 0.5

/** Plays a scenario to its end, with a line of progress on a terminal. Throws a `CliFailure` for files that are wrong. */
export function playScenario(scenario: Scenario, flags: Pick<TwinFlags, 'epoch' | 'json'>): Played {
  const begin = performance.now()
  const assembled = assemble(scenario, readFiles(scenario, flags.epoch))
  if (!assembled.ok) throw new CliFailure('usage', assembled.error)
  const { setup } = assembled.value
  if (setup.jobs.length === 0) throw new CliFailure('usage', nothingToPlay(assembled.value.skipped))
  const insight = new Insight(setup, scenario.pricePerGpuHour)
  const world = new World(setup, [insight])
  const progress = process.stderr.isTTY ? new ProgressLine(begin) : undefined
  while (world.run(STEPS_BETWEEN_LOOKS) === STEPS_BETWEEN_LOOKS) progress?.show(world)
  progress?.clear()
  const report = insight.report(world)
  const seconds = (performance.now() - begin) / 1000
  return {
    scenario,
    assembled: assembled.value,
    report,
    seconds,
    eventsPerSecond: world.stepCount / seconds,
    rssMiB: process.resourceUsage().maxRSS / 1024,
  }
}

function nothingToPlay(skipped: Readonly<Record<string, number>>): string {
  const reasons = leftOut(skipped)
  return reasons === '' ? 'there is no job to play' : `no job is left to play; left out are ${reasons}`
}

/** The jobs that are not played, by reason. */
export function leftOut(skipped: Readonly<Record<string, number>>): string {
  return Object.entries(skipped)
    .map(([reason, count]) => `${count}: ${reason}`)
    .join('; ')
}

function readFiles(scenario: Scenario, epoch: string | undefined) {
  const texts = new Map<string, string>()
  for (const source of scenario.workloads) {
    const file =
      source.kind === 'trace' ? source.file : source.kind === 'serve' ? source.requests.file : undefined
    if (file !== undefined) texts.set(file, readTrace(file))
  }
  if (epoch === undefined) return { texts }
  const epochMs = Date.parse(/T.*(Z|[+-]\d\d:\d\d)$|^\d{4}-\d\d-\d\d$/.test(epoch) ? epoch : `${epoch}Z`)
  if (Number.isNaN(epochMs))
    throw new CliFailure('usage', `--epoch is "${epoch}"; write for example 2017-09-04T10:35:00Z`)
  return { texts, epochMs }
}

/** The text of a file; what begins with gzip's magic number is unpacked. */
function readTrace(file: string): string {
  try {
    const bytes = readFileSync(file)
    return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8')
  } catch (error) {
    throw new CliFailure('usage', `cannot read ${file}: ${whyUnreadable(error)}`)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you may not read it',
  Z_BUF_ERROR: 'its gzip data ends in the middle; get the file again',
  Z_DATA_ERROR: 'its gzip data is damaged; get the file again',
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error))
}

/** One line on the terminal that is written over and over. */
class ProgressLine {
  readonly #begin: number
  #shownAt = 0

  constructor(begin: number) {
    this.#begin = begin
  }

  show(world: World): void {
    const seconds = (performance.now() - this.#begin) / 1000
    if (seconds - this.#shownAt < LOOKS_EVERY_S) return
    this.#shownAt = seconds
    const share = 1 - world.openJobs / world.setup.jobs.length
    const bar = '#'.repeat(Math.round(share * 30)).padEnd(30, '.')
    const perSecond = Math.round(world.stepCount / seconds)
    process.stderr.write(
      `\r[${bar}] ${(share * 100).toFixed(1)} %  ${perSecond} events/s  ${seconds.toFixed(0)} s `,
    )
  }

  clear(): void {
    process.stderr.write('\r\x1b[K')
  }
}
