import { createHash } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Insight, InsightRecord, Scenario, World, WorldRecord } from '../twin/index.ts'
import { CliFailure } from './failure.ts'
import { whyUnreadable } from './file-failure.ts'

const KIND = 'banyan twin run'
const VERSION = 1

/** A run in its middle, as it stands in a file. */
export interface SavedRun {
  readonly kind: typeof KIND
  readonly version: typeof VERSION
  readonly scenario: Scenario
  readonly epoch?: string
  /** The files that it reads, with the SHA-256 of their text. */
  readonly files: readonly (readonly [file: string, digest: string])[]
  /** Real time that it took so far. */
  readonly seconds: number
  /** Whether it stands there because it came to its horizon. */
  readonly isAtHorizon: boolean
  readonly world: WorldRecord
  readonly insight: InsightRecord
}

interface RunToSave {
  readonly scenario: Scenario
  readonly epoch: string | undefined
  readonly files: ReadonlyMap<string, string>
  readonly seconds: number
  readonly isAtHorizon: boolean
  readonly world: World
  readonly insight: Insight
}

/** Writes the run, in place of what the file held, and says so. */
export function saveRun(file: string, run: RunToSave): string {
  const { scenario, epoch, files, seconds, isAtHorizon, world, insight } = run
  const saved: SavedRun = {
    kind: KIND,
    version: VERSION,
    scenario,
    ...(epoch !== undefined ? { epoch } : {}),
    files: [...files].map(([name, text]) => [name, digestOf(text)]),
    seconds,
    isAtHorizon,
    world: world.record(),
    insight: insight.record(),
  }
  try {
    writeFileSync(`${file}.new`, JSON.stringify(saved))
    renameSync(`${file}.new`, file)
  } catch (error) {
    throw new CliFailure('usage', `cannot write ${file}: ${whyUnreadable(error)}`)
  }
  return `; saved to ${file}`
}

/** The run that was saved there; its files must be as they were. */
export function savedRunOf(file: string): SavedRun {
  let saved: SavedRun
  try {
    saved = JSON.parse(readFileSync(file, 'utf8')) as SavedRun
  } catch (error) {
    throw new CliFailure('usage', `cannot go on with ${file}: ${whyUnreadable(error)}`)
  }
  if (saved?.kind !== KIND || saved.version !== VERSION)
    throw new CliFailure('usage', `${file} is no run that this version of banyan saved with --save`)
  return saved
}

/** Refuses to go on where a file that the run reads is not what it was. */
export function checkFiles({ files }: SavedRun, texts: ReadonlyMap<string, string>): void {
  for (const [name, digest] of files) {
    if (digestOf(texts.get(name) ?? '') !== digest)
      throw new CliFailure('usage', `${name} has changed since the run was saved; begin it anew`)
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
