import { setImmediate } from 'node:timers/promises'
import { type Assembled, assemble, Insight, type RunReport, type Scenario, World } from '../twin/index.ts'
import { CliFailure } from './failure.ts'
import { type Files, readFiles } from './twin-files.ts'
import { Progress } from './twin-progress.ts'
import { checkFiles, RunSaver, type SavedRun } from './twin-save.ts'

/** One played scenario: what came of it in virtual time, and what it took in real time. */
export interface Played {
  readonly scenario: Scenario
  readonly assembled: Assembled
  readonly report: RunReport
  readonly seconds: number
  readonly eventsPerSecond: number
  readonly rssMiB: number
  /** Why it could not be saved where it stopped. */
  readonly unsaved?: CliFailure
}

const STEPS_BETWEEN_LOOKS = 500

/** A run to begin, or one to go on with. */
export interface Play {
  readonly scenario: Scenario
  readonly epoch?: string | undefined
  /** What it reads, where that has been read. */
  readonly files?: Files
  /** Where the run is kept as it goes on, and at its end. */
  readonly save?: string | undefined
  /** Real time between two saves; absent: such that they take little of it. */
  readonly saveEveryMs?: number | undefined
  readonly saved?: SavedRun
  /** What is said before its progress. */
  readonly label?: string
}

/**
 * Plays a scenario to its end, and tells of its progress on standard error. Throws a `CliFailure` for files that are wrong,
 * and when it is interrupted, after having saved the run where that was asked for.
 */
export async function playScenario(
  { scenario, epoch, save, saveEveryMs, saved, label = '', files = readFiles(scenario, epoch) }: Play,
  interruption?: AbortSignal,
): Promise<Played> {
  const begin = performance.now()
  if (saved) checkFiles(saved, files.texts)
  const assembled = assemble(scenario, files)
  if (!assembled.ok) throw new CliFailure('usage', assembled.error)
  const { setup } = assembled.value
  if (setup.jobs.length === 0) throw new CliFailure('usage', nothingToPlay(assembled.value.skipped))
  const insight = new Insight(setup, scenario.pricePerGpuHour)
  const world = saved ? World.resume(setup, saved.world, [insight]) : new World(setup, [insight])
  if (saved) insight.load(saved.insight)
  const progress = new Progress(world, label)
  const seconds = () => (saved?.seconds ?? 0) + (performance.now() - begin) / 1000
  const run = { scenario, epoch, files: files.texts, seconds, world, insight }
  const saver = save === undefined ? undefined : new RunSaver(save, saveEveryMs, run)
  while (world.run(STEPS_BETWEEN_LOOKS) === STEPS_BETWEEN_LOOKS) {
    progress.show()
    // Signals are heard between two turns of the loop.
    await setImmediate()
    if (interruption?.aborted) {
      progress.clear()
      throw interrupted(world, saver)
    }
    if (saver?.isDue) saveAndGoOn(saver, progress)
  }
  progress.clear()
  const unsaved = saver && saveStopped(saver, world)
  return {
    assembled: assembled.value,
    scenario,
    ...(unsaved ? { unsaved } : {}),
    report: insight.report(world),
    seconds: seconds(),
    eventsPerSecond: progress.eventsPerSecond,
    rssMiB: process.resourceUsage().maxRSS / 1024,
  }
}

/** Why the run could not be saved as it came to its horizon or end, which is no reason to lose its figures. */
function saveStopped(saver: RunSaver, { openJobs }: World): CliFailure | undefined {
  try {
    saver.save(openJobs > 0 ? 'horizon' : 'end')
  } catch (error) {
    if (error instanceof CliFailure) return error
    throw error
  }
  if (openJobs > 0) process.stderr.write(`stopped at the horizon; saved to ${saver.file}\n`)
  return undefined
}

/** A disk that is full today may not be in an hour, and until then the save before stands. */
function saveAndGoOn(saver: RunSaver, progress: Progress): void {
  try {
    saver.save('middle')
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error
    progress.clear()
    process.stderr.write(`${error.message}; the run goes on, and what was saved before stands\n`)
  }
}

function interrupted(world: World, saver: RunSaver | undefined): CliFailure {
  saver?.save('middle')
  return new CliFailure(
    'usage',
    `interrupted after ${world.stepCount} events${saver ? `; saved to ${saver.file}` : ''}`,
    saver ? `Go on with --resume ${saver.file}.` : 'With --save FILE it could have been gone on with.',
  )
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
