import type { CallContext } from './context.ts'
import { problemOfError } from './problem-of-error.ts'

interface Item {
  readonly type: string
  readonly id: string
  readonly data: unknown
}

/** Proxies drop connections on which nothing comes; a comment this often keeps them. */
const HEARTBEAT_MS = 15_000

/**
 * The items as server-sent events. The first is awaited before anything is sent, so that a refusal still becomes a
 * problem with its own status; a later failure closes the stream, and the reader resumes by `Last-Event-ID`.
 */
export async function eventStream(items: AsyncIterable<Item>, context: CallContext): Promise<Response> {
  const iterator = items[Symbol.asyncIterator]()
  const first = iterator.next()
  // A stream that has nothing to say yet must still open.
  const early = await Promise.race([
    first,
    new Promise<'quiet'>((resolve) => setTimeout(resolve, 50, 'quiet')),
  ])
  if (early === 'quiet') void first.catch(() => {})
  let next: Promise<IteratorResult<Item>> | undefined = first
  const encoder = new TextEncoder()
  let heartbeat: NodeJS.Timeout | undefined

  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(': banyan\n\n'))
      heartbeat = setInterval(() => controller.enqueue(encoder.encode(': still here\n\n')), HEARTBEAT_MS)
    },
    async pull(controller) {
      try {
        const result = await (next ?? iterator.next())
        next = undefined
        if (result.done) {
          clearInterval(heartbeat)
          controller.close()
          return
        }
        const { type, id, data } = result.value
        controller.enqueue(encoder.encode(`event: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`))
      } catch (error) {
        clearInterval(heartbeat)
        const document = problemOfError(error, context.log)
        controller.enqueue(encoder.encode(`event: problem\ndata: ${JSON.stringify(document)}\n\n`))
        controller.close()
      }
    },
    async cancel() {
      clearInterval(heartbeat)
      await iterator.return?.()
    },
  })
  return new Response(body, {
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
  })
}
