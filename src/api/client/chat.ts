import type { Connection } from './connection.ts'
import { messagesOf } from './event-stream.ts'

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

export interface ChatRequest {
  readonly model: string
  readonly messages: readonly ChatMessage[]
  readonly max_tokens?: number
  readonly temperature?: number
  readonly seed?: number
}

export interface CompletionRequest {
  readonly model: string
  readonly prompt: string
  readonly max_tokens?: number
  readonly temperature?: number
  readonly seed?: number
}

/** The pieces of the model's answer as it writes them, by OpenAI's chat completions. */
export function streamChat(
  connection: Connection,
  request: ChatRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, void> {
  return streamPieces(connection, '/v1/chat/completions', request, signal)
}

/** The pieces of text with which the model goes on after the prompt, by OpenAI's completions. */
export function streamCompletion(
  connection: Connection,
  request: CompletionRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, void> {
  return streamPieces(connection, '/v1/completions', request, signal)
}

async function* streamPieces(
  connection: Connection,
  path: string,
  request: object,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, void> {
  const response = await connection.sendOnce({
    method: 'POST',
    path,
    body: { ...request, stream: true },
    signal,
    repeatable: false,
  })
  for await (const { data } of messagesOf(response)) {
    if (data === '[DONE]') return
    const chunk = JSON.parse(data) as {
      choices?: { text?: string; delta?: { content?: string | null } }[]
      error?: { message?: string }
    }
    if (chunk.error) throw new Error(`the model broke off: ${chunk.error.message ?? data}`)
    const [choice] = chunk.choices ?? []
    const piece = choice?.delta?.content ?? choice?.text
    if (piece) yield piece
  }
}
