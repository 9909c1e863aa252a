import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { ApiProblem } from './api-problem.ts'
import { type Connection, sleep } from './connection.ts'

export interface ReceivedEvent {
  readonly type: string
  readonly id: string
  readonly data: unknown
}

const LONGEST_PAUSE_MS = 5_000
/** Consecutive connections that brought nothing before the stream is given up. */
const FRUITLESS_LIMIT = 12

/**
 * Events of one route, in order and each once, across lost connections: it connects again with the id of the last
 * event received. Ends after an event of type `last`; throws `ApiProblem` when the server refuses or stays away.
 */
export async function* followEvents(
  connection: Connection,
  path: string,
  last: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ReceivedEvent, void, void> {
  let lastId = ''
  let fruitless = 0
  const onBytes = () => {
    fruitless = 0
  }
  for (;;) {
    try {
      for await (const message of oneConnection(connection, path, lastId, signal, onBytes)) {
        lastId = message.id ?? lastId
        const type = message.event ?? 'message'
        yield { type, id: lastId, data: JSON.parse(message.data) as unknown }
        if (type === last) return
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof ApiProblem) || !error.isTransient || fruitless >= FRUITLESS_LIMIT) throw error
    }
    await sleep(connection.pausesMs[fruitless] ?? LONGEST_PAUSE_MS, signal)
    fruitless++
  }
}

async function* oneConnection(
  connection: Connection,
  path: string,
  lastId: string,
  signal: AbortSignal | undefined,
  onBytes: () => void,
): AsyncGenerator<EventSourceMessage, void, void> {
  const silence = new AbortController()
  const either = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal
  let timer: ReturnType<typeof setTimeout> | undefined
  const listen = () => {
    clearTimeout(timer)
    timer = setTimeout(() => silence.abort(connection.unreachable('it fell silent')), connection.silenceMs)
  }
  try {
    listen()
    const headers = { accept: 'text/event-stream', ...(lastId === '' ? {} : { 'last-event-id': lastId }) }
    const response = await connection.sendOnce({
      method: 'GET',
      path,
      headers,
      signal: either,
      repeatable: true,
    })
    yield* messagesOf(response, () => {
      listen()
      onBytes()
    })
  } finally {
    clearTimeout(timer)
    silence.abort()
  }
}

/** The messages of a body of server-sent events, as they arrive. Throws `ApiProblem` when the connection breaks. */
export async function* messagesOf(
  response: Response,
  onBytes: () => void = () => {},
): AsyncGenerator<EventSourceMessage, void, void> {
  if (!response.body) return
  const arrived: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (message) => arrived.push(message) })
  const decoder = new TextDecoder()
  const reader = response.body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw error instanceof ApiProblem ? error : ApiProblem.unreachable(response.url, error)
      })
      if (done) return
      onBytes()
      parser.feed(decoder.decode(value, { stream: true }))
      yield* arrived.splice(0)
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}
