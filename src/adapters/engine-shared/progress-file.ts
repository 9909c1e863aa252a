import { type FileHandle, open } from 'node:fs/promises'
import type { AttemptId } from '../../base/index.ts'
import type { EngineFact } from '../../control/ports/index.ts'
import { ProgressLines } from './progress-lines.ts'

const CHUNK_BYTES = 64 * 1024
/** Of a file that grew by more than this unread, only the end is read. */
const MOST_UNREAD_BYTES = 8 * 1024 * 1024

/** Follows one progress file. Nothing is watched here: the engine calls `read` when it thinks that the file grew. */
export class ProgressFile {
  readonly #path: string
  readonly #lines: ProgressLines
  readonly #buffer = Buffer.alloc(CHUNK_BYTES)
  #offset = 0

  constructor(path: string, checkpointDir: string | undefined) {
    this.#path = path
    this.#lines = new ProgressLines(checkpointDir)
  }

  /** What the attempt's program has told so far, as a fact; undefined when it has told nothing. */
  factOf(attempt: AttemptId): EngineFact | undefined {
    const { report, ranks } = this.#lines
    return report && { kind: 'attempt-progress', attempt, ...report, ...(ranks ? { ranks } : {}) }
  }

  /** Takes in what was appended; true when the program reported something new. A file that is not there says nothing. */
  async read(): Promise<boolean> {
    let file: FileHandle
    try {
      file = await open(this.#path, 'r')
    } catch {
      return false
    }
    try {
      return await this.#readFrom(file)
    } finally {
      await file.close()
    }
  }

  async #readFrom(file: FileHandle): Promise<boolean> {
    const before = this.#lines.report
    const { size, mtimeMs } = await file.stat()
    if (size < this.#offset) {
      this.#offset = 0
      this.#lines.startLine()
    }
    if (size - this.#offset > MOST_UNREAD_BYTES) {
      // The first lines carry the first loss.
      if (this.#offset === 0) await this.#readChunk(file, mtimeMs)
      this.#offset = size - MOST_UNREAD_BYTES
      this.#lines.skipLine()
    }
    while (this.#offset < size && (await this.#readChunk(file, mtimeMs)) > 0);
    return this.#lines.report !== before
  }

  async #readChunk(file: FileHandle, mtimeMs: number): Promise<number> {
    const { bytesRead } = await file.read(this.#buffer, 0, CHUNK_BYTES, this.#offset)
    this.#lines.feed(this.#buffer.subarray(0, bytesRead), Math.floor(mtimeMs))
    this.#offset += bytesRead
    return bytesRead
  }
}
