import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Insight, InsightRecord, Scenario, World, WorldRecord } from '../twin/index.ts'
import { CliFailure } from './failure.ts'
import { checkWritable, whyUnreadable, whyUnwritable } from './file-failure.ts'
import { cliVersion } from './version.ts'

const KIND = 'banyan twin run'
/** Of the file; what the run itself looks like goes with the version of Banyan. */
const FORMAT = 2

/** Where the run stood when it was saved. */
export type SavedAt = 'middle' | 'horizon' | 'end'

/** The first line of the file: what the second is, and how to tell that it is whole. */
interface Head {
  readonly kind: typeof KIND
  readonly version: number
  readonly banyan: string
  readonly at: SavedAt
  /** SHA-256 of the second line. */
  readonly digest: string
}

/** A run in its middle, as it stands in a file. */
export interface SavedRun {
  readonly at: SavedAt
  readonly scenario: Scenario
  readonly epoch?: string
  /** The files that it reads, with the SHA-256 of their text. */
  readonly files: readonly (readonly [file: string, digest: string])[]
  /** Real time that it took so far. */
  readonly seconds: number
  readonly world: WorldRecord
  readonly insight: InsightRecord
}

export interface RunToSave {
  readonly scenario: Scenario
  readonly epoch: string | undefined
  readonly files: ReadonlyMap<string, string>
  readonly seconds: () => number
  readonly world: World
  readonly insight: Insight
}

/** Saves come at least so far apart, and so far that they take at most this share of the time, where nothing else is asked for. */
const LEAST_S = 60
const MOST_SHARE = 0.02

/**
 * Keeps a run in a file as it goes on. The file always holds one whole save: it is replaced at once by the next,
 * which until then stands beside it.
 */
export class RunSaver {
  readonly file: string
  readonly #run: RunToSave
  readonly #everyS: number | undefined
  #savedAt = performance.now()
  #tookS = 0

  constructor(file: string, everyMs: number | undefined, run: RunToSave) {
    this.file = file
    this.#run = run
    this.#everyS = everyMs === undefined ? undefined : everyMs / 1000
  }

  get isDue(): boolean {
    const every = this.#everyS ?? Math.max(LEAST_S, this.#tookS / MOST_SHARE)
    return performance.now() - this.#savedAt >= every * 1000
  }

  /** Throws a `CliFailure` when it cannot be written; then the file holds what it held. */
  save(at: SavedAt): void {
    const begin = performance.now()
    try {
      replaceFile(this.file, savedText(this.#run, at))
    } catch (error) {
      throw new CliFailure('usage', `cannot save to ${this.file}: ${whyUnwritable(error)}`)
    } finally {
      this.#savedAt = performance.now()
      this.#tookS = (this.#savedAt - begin) / 1000
    }
  }
}

function savedText({ scenario, epoch, files, seconds, world, insight }: RunToSave, at: SavedAt): string {
  const saved: SavedRun = {
    at,
    scenario,
    ...(epoch !== undefined ? { epoch } : {}),
    files: [...files].map(([name, text]) => [name, digestOf(text)]),
    seconds: seconds(),
    world: world.record(),
    insight: insight.record(),
  }
  const body = JSON.stringify(saved)
  const head: Head = { kind: KIND, version: FORMAT, banyan: cliVersion(), at, digest: digestOf(body) }
  return `${JSON.stringify(head)}\n${body}\n`
}

/** After a crash at any instant the file holds the old text or the new one, whole. */
function replaceFile(file: string, text: string): void {
  const beside = besideOf(file)
  writeSynced(beside, text)
  renameSync(beside, file)
  const folder = openSync(dirname(file), 'r')
  fsyncSync(folder)
  closeSync(folder)
}

function besideOf(file: string): string {
  return `${file}.new`
}

function writeSynced(file: string, text: string): void {
  const descriptor = openSync(file, 'w')
  try {
    const bytes = Buffer.from(text)
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done)
    fsyncSync(descriptor)
  } catch (error) {
    rmSync(file, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
}

/** Refuses a file to save to that cannot be written, that is something else, or that holds another run with work left. */
export function checkSavePlace(file: string, resumed: string | undefined): void {
  checkWritable(file)
  checkWritable(besideOf(file))
  if (file === resumed || !existsSync(file)) return
  const first = statSync(file).isFile() ? firstLine(file) : 'special'
  if (first === '') return
  const head = headOf(first)
  if (!head)
    throw new CliFailure('usage', `${file} is there, and is no saved run`, 'Give --save another file.')
  if (head.at !== 'end' && head.version === FORMAT)
    throw new CliFailure(
      'usage',
      `${file} holds a run that has not ended`,
      `Go on with it by --resume ${file}, or remove it, or save to another file.`,
    )
}

/** The run that was saved there; its files must be as they were. */
export function savedRunOf(file: string): SavedRun {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliFailure('usage', `cannot go on with ${file}: ${whyUnreadable(error)}`)
  }
  const end = text.indexOf('\n')
  const head = headOf(end < 0 ? text : text.slice(0, end))
  const body = text.slice(end + 1, -1)
  const banyan = cliVersion()
  if (!head) {
    const what = isStartOf(text) ? 'cut short' : 'no run that --save wrote'
    throw new CliFailure('usage', `cannot go on with ${file}: it is ${what}`)
  }
  if (head.version !== FORMAT || head.banyan !== banyan)
    throw new CliFailure(
      'usage',
      `${file} was saved by another version of Banyan (${head.banyan ?? 'older'}, this is ${banyan}), whose runs may differ`,
      'Go on with it by that version, or begin the run anew.',
    )
  if (digestOf(body) !== head.digest)
    throw new CliFailure(
      'usage',
      `cannot go on with ${file}: it is cut short or damaged`,
      'Take a copy of it, if there is one, or begin the run anew.',
    )
  return JSON.parse(body) as SavedRun
}

/** Refuses to go on where a file that the run reads is not what it was. */
export function checkFiles({ files }: SavedRun, texts: ReadonlyMap<string, string>): void {
  for (const [name, digest] of files) {
    if (digestOf(texts.get(name) ?? '') !== digest)
      throw new CliFailure('usage', `${name} has changed since the run was saved; begin it anew`)
  }
}

const HEAD_BYTES = 1_000

function firstLine(file: string): string {
  const descriptor = openSync(file, 'r')
  const bytes = Buffer.alloc(HEAD_BYTES)
  const count = readSync(descriptor, bytes)
  closeSync(descriptor)
  return bytes.toString('utf8', 0, count).split('\n')[0]!
}

function headOf(line: string): Head | undefined {
  try {
    const head = JSON.parse(line) as Head | null
    return head?.kind === KIND ? head : undefined
  } catch {
    return undefined
  }
}

function isStartOf(text: string): boolean {
  const start = `{"kind":"${KIND}"`
  return text !== '' && text.slice(0, start.length) === start.slice(0, text.length)
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
