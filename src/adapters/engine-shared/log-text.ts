/** Bytes at the end of `bytes` that begin a UTF-8 character but do not finish it: 0 to 3. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) return 0
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return back < needed ? back : 0
    }
  }
  return 0
}

/**
 * The text of a part of a log and how many of its bytes that covers: a character cut by the end of the part is left
 * for the next one, unless nothing can follow.
 */
export function decodePart(bytes: Buffer, isLast: boolean): { text: string; consumed: number } {
  const left = isLast ? 0 : unfinishedBytes(bytes)
  const consumed = bytes.length - left
  return { text: bytes.toString('utf8', 0, consumed), consumed }
}
