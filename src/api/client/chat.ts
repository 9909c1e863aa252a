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

/** The pieces of the model's answer as it writes them, by OpenAI's chat completions. */
export async function* streamChat(
  connection: Connection,
  request: ChatRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, void> {
  const response = await connection.sendOnce({
    method: 'POST',
    path: '/v1/chat/completions',
    body: { ...request, stream: true },
    signal,
    repeatable: false,
  })
  for await (const { data } of messagesOf(response)) {
    if (data === '[DONE]') return
    const chunk = JSON.parse(data) as {
      choices?: { delta?: { content?: string | null } }[]
      error?: { message?: string }
    }
    if (chunk.error) throw new Error(`the model broke off: ${chunk.error.message ?? data}`)
    const piece = chunk.choices?.[0]?.delta?.content
    if (piece) yield piece
  }
}
