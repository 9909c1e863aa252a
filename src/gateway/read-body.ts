import type { IncomingMessage } from 'node:http'
import { bodyTooLarge } from './refusal.ts'

/** The whole body, or undefined when the caller went away. Throws a refusal when it is longer than `limitBytes`. */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > limitBytes) return reject(bodyTooLarge(limitBytes))
    const chunks: Buffer[] = []
    let bytes = 0
    const take = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= limitBytes) return chunks.push(chunk)
      request.off('data', take)
      reject(bodyTooLarge(limitBytes))
    }
    request.on('data', take)
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)))
    request.on('close', () => resolve(undefined))
    request.on('error', () => resolve(undefined))
  })
}
