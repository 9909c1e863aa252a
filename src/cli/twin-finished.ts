import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { RunReport, Scenario } from '../twin/index.ts'
import { CliFailure } from './failure.ts'
import { checkWritable, whyUnreadable, whyUnwritable } from './file-failure.ts'
import type { Files } from './twin-files.ts'
import { cliVersion } from './version.ts'

/** What a comparison needs of a run that has ended. */
export interface FinishedRun {
  readonly report: RunReport
  readonly skipped: Readonly<Record<string, number>>
}

const KIND = 'banyan twin finished run'

interface Line extends FinishedRun {
  readonly kind: typeof KIND
  readonly key: string
}

/** Runs that have ended, one on each line of a file; without a file they are kept for nobody. */
export class FinishedRuns {
  readonly #file: string | undefined
  readonly #runs = new Map<string, FinishedRun>()

  /** Throws a `CliFailure` where the file is something else, or cannot be written. */
  constructor(file?: string) {
    this.#file = file
    if (file === undefined) return
    checkWritable(file)
    if (existsSync(file)) this.#load(file)
  }

  /** The run of this key, if it has ended before. */
  of(key: string): FinishedRun | undefined {
    return this.#runs.get(key)
  }

  /** Throws a `CliFailure` when it cannot be written. */
  add(key: string, { report, skipped }: FinishedRun): void {
    this.#runs.set(key, { report, skipped })
    if (this.#file === undefined) return
    const line: Line = { kind: KIND, key, report, skipped }
    this.#append(this.#file, `${JSON.stringify(line)}\n`)
  }

  /** A line that a crash cut short is of a run that was not kept. */
  #load(file: string): void {
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch (error) {
      throw new CliFailure('usage', `cannot read ${file}: ${whyUnreadable(error)}`)
    }
    const start = `{"kind":"${KIND}"`
    if (text.slice(0, start.length) !== start.slice(0, text.length))
      throw new CliFailure(
        'usage',
        `${file} is there, and holds no compared runs`,
        'Give --save another file.',
      )
    if (text !== '' && !text.endsWith('\n')) this.#append(file, '\n')
    for (const line of text.split('\n').flatMap(parsed))
      this.#runs.set(line.key, { report: withEndless(line.report), skipped: line.skipped })
  }

  #append(file: string, text: string): void {
    try {
      const descriptor = openSync(file, 'a')
      const bytes = Buffer.from(text)
      for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done)
      fsyncSync(descriptor)
      closeSync(descriptor)
    } catch (error) {
      throw new CliFailure('usage', `cannot save to ${file}: ${whyUnwritable(error)}`)
    }
  }
}

/** The same for runs of which everything is the same: the scenario with its seed, the files that it reads, the version of Banyan. */
export function keyOfRun(scenario: Scenario, files: Files): string {
  const hash = createHash('sha256').update(JSON.stringify([cliVersion(), scenario, files.epochMs ?? null]))
  for (const [file, text] of files.texts) hash.update(JSON.stringify([file, text.length])).update(text)
  return hash.digest('hex')
}

function parsed(line: string): Line[] {
  try {
    return [JSON.parse(line) as Line]
  } catch {
    return []
  }
}

/** JSON has no endless numbers. */
function withEndless(report: RunReport): RunReport {
  const { interruptions } = report
  if (interruptions.count > 0) return report
  return { ...report, interruptions: { ...interruptions, meanHoursBetween: Number.POSITIVE_INFINITY } }
}
