import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { type Assembled, assemble, Insight, type RunReport, type Scenario, World } from '../twin/index.ts'
import { CliFailure } from './failure.ts'
import { whyUnreadable } from './file-failure.ts'
import { checkFiles, type SavedRun, saveRun } from './twin-save.ts'

/** One played scenario: what came of it in virtual time, and what it took in real time. */
export interface Played {
  readonly scenario: Scenario
  readonly assembled: Assembled
  readonly report: RunReport
  readonly seconds: number
  readonly eventsPerSecond: number
  readonly rssMiB: number
}

const STEPS_BETWEEN_LOOKS = 500
const LOOKS_EVERY_S = 0.5

/** A run to begin, or one to go on with. */
export interface Play {
  readonly scenario: Scenario
  readonly epoch?: string | undefined
  /** Where the run is written when it is interrupted, or comes to its horizon with work left. */
  readonly save?: string | undefined
  readonly saved?: SavedRun
}

/**
 * Plays a scenario to its end, with a line of progress on a terminal. Throws a `CliFailure` for files that are wrong, and
 * when it is interrupted, after having saved the run where that was asked for.
 */
export async function playScenario(
  { scenario, epoch, save, saved }: Play,
  interruption?: AbortSignal,
): Promise<Played> {
  const begin = performance.now()
  const files = readFiles(scenario, epoch)
  if (saved) checkFiles(saved, files.texts)
  const assembled = assemble(scenario, files)
  if (!assembled.ok) throw new CliFailure('usage', assembled.error)
  const { setup } = assembled.value
  if (setup.jobs.length === 0) throw new CliFailure('usage', nothingToPlay(assembled.value.skipped))
  const insight = new Insight(setup, scenario.pricePerGpuHour)
  const world = saved ? World.resume(setup, saved.world, [insight]) : new World(setup, [insight])
  if (saved) insight.load(saved.insight)
  const stepsBefore = world.stepCount
  const seconds = () => (performance.now() - begin) / 1000
  const keep = (file: string, isAtHorizon: boolean) =>
    saveRun(file, {
      scenario,
      epoch,
      files: files.texts,
      seconds: (saved?.seconds ?? 0) + seconds(),
      isAtHorizon,
      world,
      insight,
    })
  const isWhole = await run(world, begin, interruption)
  if (!isWhole) {
    const where = save === undefined ? '' : keep(save, false)
    throw new CliFailure(
      'usage',
      `interrupted after ${world.stepCount} events${where}`,
      save === undefined
        ? 'With --save FILE it could have been gone on with.'
        : `Go on with --resume ${save}.`,
    )
  }
  if (save !== undefined && world.openJobs > 0)
    process.stderr.write(`stopped at the horizon${keep(save, true)}\n`)
  const report = insight.report(world)
  return {
    scenario,
    assembled: assembled.value,
    report,
    seconds: (saved?.seconds ?? 0) + seconds(),
    eventsPerSecond: (world.stepCount - stepsBefore) / seconds(),
    rssMiB: process.resourceUsage().maxRSS / 1024,
  }
}

/** Lets the world run to its end, and tells whether nobody interrupted it. */
async function run(world: World, begin: number, interruption: AbortSignal | undefined): Promise<boolean> {
  const progress = process.stderr.isTTY ? new ProgressLine(begin) : undefined
  while (world.run(STEPS_BETWEEN_LOOKS) === STEPS_BETWEEN_LOOKS) {
    progress?.show(world)
    // Signals are heard between two turns of the loop.
    await setImmediate()
    if (!interruption?.aborted) continue
    progress?.clear()
    return false
  }
  progress?.clear()
  return true
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
