import { isAbsolute, join } from 'node:path'
import type { TimeMs } from '../../base/index.ts'
import type { Checkpoint, Progress, RankTimes } from '../../model/index.ts'
import { RankWindow } from './rank-window.ts'

/** What a program has said of itself so far. */
export interface ProgramReport {
  readonly progress: Progress
  readonly checkpoint?: Checkpoint
  readonly firstLoss?: number
}

/** A line longer than this is not progress; it is skipped. */
const LONGEST_LINE_BYTES = 64 * 1024
const NEWLINE = 10

/**
 * Reads the lines of a progress file as they come in any cut. A line is one JSON object with `step` and, where known,
 * `totalSteps`, `loss`, `tokens`, `checkpoint` (the path of one that is complete), `stepMs` (how long the step took)
 * and `computeMs` (how much of it each rank computed, by rank). Broken lines are skipped.
 */
export class ProgressLines {
  readonly #checkpointDir: string | undefined
  #unfinished: Buffer = Buffer.alloc(0)
  #isSkipping = false
  #report: ProgramReport | undefined
  readonly #ranks = new RankWindow()

  /** Relative checkpoint paths are resolved against `checkpointDir`. */
  constructor(checkpointDir: string | undefined) {
    this.#checkpointDir = checkpointDir
  }

  get report(): ProgramReport | undefined {
    return this.#report
  }

  /** How long each rank computes; undefined where the program does not say. */
  get ranks(): RankTimes | undefined {
    return this.#ranks.times
  }

  feed(bytes: Buffer, at: TimeMs): void {
    let from = 0
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([this.#unfinished, bytes.subarray(from, end)])
      if (!this.#isSkipping) this.#take(line.toString('utf8'), at)
      this.startLine()
      from = end + 1
    }
    this.#unfinished = Buffer.concat([this.#unfinished, bytes.subarray(from)])
    if (this.#unfinished.length > LONGEST_LINE_BYTES) this.skipLine()
  }

  /** What comes next begins a line. */
  startLine(): void {
    this.#unfinished = Buffer.alloc(0)
    this.#isSkipping = false
  }

  /** Forgets the line that is being read: what comes next is the middle of another. */
  skipLine(): void {
    this.#unfinished = Buffer.alloc(0)
    this.#isSkipping = true
  }

  #take(line: string, at: TimeMs): void {
    const said = parseLine(line)
    const step = amount(said?.step)
    if (said === undefined || step === undefined) return
    this.#ranks.take(at, step, said.computeMs, said.stepMs)
    const totalSteps = amount(said.totalSteps)
    const loss = typeof said.loss === 'number' ? said.loss : undefined
    const tokens = amount(said.tokens)
    const checkpoint = this.#checkpoint(said.checkpoint, step, at) ?? this.#report?.checkpoint
    const firstLoss = this.#report?.firstLoss ?? loss
    this.#report = {
      progress: {
        at,
        step,
        ...(totalSteps !== undefined ? { totalSteps } : {}),
        ...(loss !== undefined ? { loss } : {}),
        ...(tokens !== undefined ? { tokens } : {}),
      },
      ...(checkpoint !== undefined ? { checkpoint } : {}),
      ...(firstLoss !== undefined ? { firstLoss } : {}),
    }
  }

  #checkpoint(path: unknown, step: number, at: TimeMs): Checkpoint | undefined {
    if (typeof path !== 'string' || path === '') return undefined
    const resolved = isAbsolute(path) || !this.#checkpointDir ? path : join(this.#checkpointDir, path)
    return { at, step, path: resolved }
  }
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    // Python writes NaN and Infinity for a diverged loss, which JSON does not have.
    const value: unknown = JSON.parse(line.replace(/(?<=[:\s])(?:NaN|-?Infinity)(?=\s*[,}])/g, 'null'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function amount(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
    ? Math.floor(value)
    : undefined
}
