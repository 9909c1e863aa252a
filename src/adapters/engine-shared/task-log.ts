import { closeSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogChunk } from '../../control/ports/index.ts'
import { decodePart } from './log-text.ts'

/** Of a log that outgrows its cap, the first and the last segments are kept. */
export const LOG_SEGMENTS = 8
const TAIL_BYTES = 16 * 1024
const CHUNK_BYTES = 256 * 1024

/**
 * Writes what one task prints into segments named by the offset of their first byte: `0-000000000000.log`. A byte
 * keeps its offset whatever is dropped, so that readers can go on from where they were. When the cap is reached the
 * oldest segment but the first is deleted; when the disk is full what is printed is dropped until there is room. The
 * task itself is never held up or ended by either.
 */
export class TaskLogWriter {
  readonly #folder: string
  readonly #rank: number
  readonly #segmentBytes: number
  readonly #kept: string[] = []
  #file: number | undefined
  #fileBytes = 0
  #offset = 0
  #tail: Buffer = Buffer.alloc(0)

  constructor(folder: string, rank: number, capBytes: number) {
    this.#folder = folder
    this.#rank = rank
    this.#segmentBytes = Math.max(1, Math.floor(capBytes / LOG_SEGMENTS))
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  /** The last 16 KiB, also of what could not be written. */
  get tail(): string {
    return this.#tail.toString('utf8')
  }

  write(chunk: Buffer): void {
    for (let from = 0; from < chunk.length; ) {
      if (this.#fileBytes >= this.#segmentBytes) this.close()
      const piece = chunk.subarray(from, from + this.#segmentBytes - this.#fileBytes)
      const written = this.#append(piece)
      from += written
      this.#offset += written
    }
    const joined = chunk.length >= TAIL_BYTES ? chunk : Buffer.concat([this.#tail, chunk])
    this.#tail = Buffer.from(joined.subarray(-TAIL_BYTES))
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
    this.#fileBytes = 0
  }

  /** Bytes dealt with: written, or dropped because the disk takes nothing. */
  #append(piece: Buffer): number {
    try {
      this.#file ??= this.#openSegment()
      const written = writeSync(this.#file, piece)
      this.#fileBytes += written
      return written
    } catch {
      // A segment must have no gap inside, so what comes after one starts another.
      const isEmpty = this.#file !== undefined && this.#fileBytes === 0
      this.close()
      const empty = isEmpty ? this.#kept.pop() : undefined
      if (empty !== undefined) unlinkSync(empty)
      return piece.length
    }
  }

  #openSegment(): number {
    const path = join(this.#folder, segmentName(this.#rank, this.#offset))
    const file = openSync(path, 'a', 0o600)
    this.#kept.push(path)
    if (this.#kept.length > LOG_SEGMENTS) {
      const [oldest] = this.#kept.splice(1, 1)
      if (oldest !== undefined) unlinkSync(oldest)
    }
    return file
  }
}

/** Part of a task's log from `wanted` on, or from its end. `isOver` says that nothing more will be written. */
export async function readTaskLog(
  folder: string,
  rank: number,
  wanted: number,
  isOver: boolean,
): Promise<LogChunk> {
  const starts = await segmentStarts(folder, rank)
  const from = Math.min(wanted, await endOfLog(folder, rank, starts.at(-1)))
  const buffer = Buffer.alloc(CHUNK_BYTES)
  let read = 0
  for (const [index, start] of starts.entries()) {
    const end = starts[index + 1] ?? Number.POSITIVE_INFINITY
    const at = from + read
    if (at < start || at >= end || read === CHUNK_BYTES) continue
    read += await readSegment(join(folder, segmentName(rank, start)), at - start, buffer.subarray(read))
  }
  const following = starts.find((start) => start > from + read)
  if (read === 0 && following !== undefined) {
    return { text: gapNotice(from, following), next: following, ended: false }
  }
  const isShort = read < CHUNK_BYTES
  const reachesEnd = isShort && isOver && following === undefined
  const isBeforeGap = isShort && following !== undefined
  const { text, consumed } = decodePart(buffer.subarray(0, read), reachesEnd || isBeforeGap)
  return { text, next: from + consumed, ended: reachesEnd }
}

/** The last 16 KiB of a log whose writer kept none at hand; where it lacks a part, that is said in its place. */
export async function readLogTail(folder: string, rank: number): Promise<string> {
  const end = await endOfLog(folder, rank, (await segmentStarts(folder, rank)).at(-1))
  let text = ''
  for (let next = Math.max(0, end - TAIL_BYTES); ; ) {
    const chunk = await readTaskLog(folder, rank, next, true)
    text += chunk.text
    if (chunk.ended || chunk.next === next) return text
    next = chunk.next
  }
}

function segmentName(rank: number, start: number): string {
  return `${rank}-${String(start).padStart(12, '0')}.log`
}

function gapNotice(from: number, to: number): string {
  return `\n[banyan: ${to - from} bytes of output were not kept here: the log reached its cap, or the disk was full]\n`
}

async function segmentStarts(folder: string, rank: number): Promise<number[]> {
  const names = await readdir(folder).catch(() => [])
  return names
    .filter((name) => name.startsWith(`${rank}-`) && name.endsWith('.log'))
    .map((name) => Number(name.slice(`${rank}-`.length, -'.log'.length)))
    .sort((a, b) => a - b)
}

async function endOfLog(folder: string, rank: number, lastStart: number | undefined): Promise<number> {
  if (lastStart === undefined) return 0
  const last = await stat(join(folder, segmentName(rank, lastStart))).catch(() => undefined)
  return lastStart + (last?.size ?? 0)
}

/** Bytes read; none from a segment that was just deleted. */
async function readSegment(path: string, at: number, into: Buffer): Promise<number> {
  const file = await open(path, 'r').catch(() => undefined)
  if (!file) return 0
  try {
    const { bytesRead } = await file.read(into, 0, into.length, at)
    return bytesRead
  } finally {
    await file.close()
  }
}
