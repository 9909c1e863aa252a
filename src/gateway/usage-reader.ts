import type { TokenUsage } from './contract.ts'

/** `usage` stands near the end of an answer, whole or streamed: after the text and the vectors. */
const TAIL_BYTES = 4_096

/** Reads the usage out of an answer's bytes as they pass, keeping no more than their end. */
export class UsageReader {
  #tail: Buffer[] = []
  #bytes = 0

  pass(chunk: Buffer): void {
    this.#tail.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes - this.#tail[0]!.length >= TAIL_BYTES) this.#bytes -= this.#tail.shift()!.length
  }

  /** The last usage in the answer. Inside a JSON text quotes are escaped, so no model can say one. */
  get usage(): TokenUsage | undefined {
    const tail = Buffer.concat(this.#tail).subarray(-TAIL_BYTES).toString('latin1')
    const last = [...tail.matchAll(/(?<!\\)"usage"\s*:\s*\{/g)].at(-1)
    if (!last) return undefined
    const usage = tail.slice(last.index)
    const promptTokens = /"prompt_tokens"\s*:\s*(\d+)/.exec(usage)
    if (!promptTokens) return undefined
    const completionTokens = /"completion_tokens"\s*:\s*(\d+)/.exec(usage)
    return { promptTokens: Number(promptTokens[1]), completionTokens: Number(completionTokens?.[1] ?? 0) }
  }
}
